/// The dictionary of weights in a checkpoint, found among optimizers, histories and plans.
struct StateDictionary {
    /// The weights by their names, without the prefixes that wrappers of PyTorch add.
    var tensors: [String: StoredTensor] = [:]
    /// The other tensors of the checkpoint.
    var skipped: [SkippedTensor] = []

    /// Under which keys the field's tools keep weights, the most telling first; empty: the file is the dictionary.
    private static let containers = [
        "network_weights", "state_dict", "model_state_dict", "model", "network", "net", "",
    ]
    /// What `DistributedDataParallel` and `torch.compile` put before every name: with it, nothing would match.
    private static let wrappers = ["module.", "_orig_mod."]

    /// The weights in a checkpoint.
    init(_ file: PyTorchFile) {
        let places = file.tensors.keys.map { (path: $0, place: Self.split($0)) }
        let sizes = Dictionary(grouping: places, by: \.place.container).mapValues(\.count)
        let container =
            Self.containers.first { sizes[$0] != nil }
            ?? sizes.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key ?? ""
        for (path, place) in places.sorted(by: { $0.path < $1.path }) {
            if place.container == container {
                tensors[Self.unwrapped(place.name)] = file.tensors[path]
            } else {
                skipped.append(.init(name: path, reason: Self.reason(forContainer: place.container)))
            }
        }
    }

    /// The weights of a safetensors file.
    init(_ file: SafetensorsFile) {
        for (name, tensor) in file.tensors { tensors[Self.unwrapped(name)] = tensor }
    }

    private static func split(_ path: String) -> (container: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return ("", PyTorchFile.unescaped(path)) }
        return (String(path[..<slash]), PyTorchFile.unescaped(String(path[path.index(after: slash)...])))
    }

    private static func unwrapped(_ name: String) -> String {
        var rest = name[...]
        while let wrapper = wrappers.first(where: rest.hasPrefix) { rest = rest.dropFirst(wrapper.count) }
        return String(rest)
    }

    private static func reason(forContainer container: String) -> String {
        if container.hasPrefix("optimizer") { return "state of the optimizer" }
        if container == "spark_weights" { return "parts of the pre-training method" }
        return container.isEmpty ? "beside the weights" : "beside the weights, in \(container)"
    }
}

extension PyTorchFile {
    /// The key that ``escaped(_:)`` spelled.
    static func unescaped(_ key: String) -> String {
        key.contains("~") ? key.replacing("~1", with: "/").replacing("~0", with: "~") : key
    }
}
