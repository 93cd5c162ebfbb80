import Foundation

/// What a file written by `torch.save` holds: tensors, numbers and strings, by their paths.
///
/// A path is the dictionary keys and list indices that lead to a value, joined by `/`, such as
/// `network_weights/encoder.stem.convs.0.conv.weight` or `init_args/plans/plans_name`. In a key `~` is spelled `~0` and
/// `/` is spelled `~1`. Devices, sets, element types by themselves and numbers beyond 64 bits are left out.
public struct PyTorchFile: Sendable, Equatable {
    /// Where the content was read from, for messages.
    public let path: String
    /// The tensors: contiguous, little-endian, of the type that they were saved in.
    public internal(set) var tensors: [String: StoredTensor] = [:]
    /// Everything else.
    public internal(set) var scalars: [String: PyTorchScalar] = [:]

    /// The key of a dictionary as it stands in a path.
    static func escaped(_ key: String) -> String {
        key.contains { $0 == "~" || $0 == "/" } ? key.replacing("~", with: "~0").replacing("/", with: "~1") : key
    }

    /// What lies below `prefix`, by the rest of its path.
    func below<Value>(_ prefix: String, in values: [String: Value]) -> [String: Value] {
        let start = "\(prefix)/"
        return values.reduce(into: [:]) { all, entry in
            if entry.key.hasPrefix(start) { all[String(entry.key.dropFirst(start.count))] = entry.value }
        }
    }
}

/// A value of a checkpoint that is no tensor.
public enum PyTorchScalar: Hashable, Sendable {
    /// `None`.
    case none
    /// A boolean.
    case bool(Bool)
    /// A whole number.
    case integer(Int)
    /// A floating-point number.
    case number(Double)
    /// A string.
    case text(String)
}
