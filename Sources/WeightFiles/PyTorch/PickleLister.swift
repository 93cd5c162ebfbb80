import Foundation

/// Goes through what a pickle stands for and lists its tensors and scalars by their paths.
struct PickleLister {
    /// Nested deeper is no checkpoint, but an attack on recursive readers.
    private static let greatestDepth = 100

    let heap: PickleHeap
    var budget: ReadBudget
    var storages: StorageSource
    var tensors: [String: StoredTensor] = [:]
    var scalars: [String: PyTorchScalar] = [:]
    private var built: [Int: StoredTensor] = [:]

    init(heap: PickleHeap, budget: ReadBudget, storages: StorageSource) {
        (self.heap, self.budget, self.storages) = (heap, budget, storages)
    }

    /// Lists `value` and all that it holds.
    mutating func list(_ value: PickleValue, at path: String, depth: Int) throws {
        guard depth <= Self.greatestDepth else {
            throw PyTorchError(.tooDeep, "its content is nested deeper than \(Self.greatestDepth) levels.")
        }
        try budget.pay(ReadBudget.bytesPerValue + path.utf8.count, for: "the list of its content")
        switch value {
        case .none: scalars[path] = PyTorchScalar.none
        case .bool(let value): scalars[path] = .bool(value)
        case .integer(let value): scalars[path] = .integer(value)
        case .number(let value): scalars[path] = .number(value)
        case .text(let value): scalars[path] = .text(value)
        case .object(let index): try list(heap.objects[index], index, at: path, depth: depth)
        case .bigInteger, .bytes, .global, .opaque: break
        }
    }

    private mutating func list(_ object: PickleObject, _ index: Int, at path: String, depth: Int) throws {
        func inner(_ key: String) -> String { path.isEmpty ? key : "\(path)/\(key)" }
        switch object {
        case .list(let elements), .tuple(let elements):
            for (number, element) in elements.enumerated() {
                try list(element, at: inner("\(number)"), depth: depth + 1)
            }
        case .dictionary(let pairs):
            var values: [String: PickleValue] = [:]
            for (key, value) in pairs {
                try budget.pay(ReadBudget.bytesPerValue, for: "the list of its content")
                values[try Self.name(of: key)] = value
            }
            for (key, value) in values {
                try list(value, at: inner(PyTorchFile.escaped(key)), depth: depth + 1)
            }
        case .tensor(let view):
            if built[index] == nil {
                built[index] = try view.tensor(
                    from: storages.bytes(of: view.storage, budget: &budget), budget: &budget)
            }
            tensors[path] = built[index]
        case .array(let array): if let array { tensors[path] = array }
        case .storage, .numpyType: break
        }
    }

    private static func name(of key: PickleValue) throws -> String {
        switch key {
        case .text(let text): text
        case .integer(let integer): "\(integer)"
        case .bool(let value): value ? "True" : "False"
        case .number(let number): "\(number)"
        case .none: "None"
        default: throw PickleMachine.bad("a dictionary has \(key.kind) as a key")
        }
    }
}

/// Where the elements of storages come from.
struct StorageSource {
    private let isBigEndian: Bool
    private let read: (StorageReference, inout ReadBudget) throws -> Data
    private var known: [String: Data] = [:]

    /// - Parameter read: gives the bytes of a storage as they lie in the file.
    init(isBigEndian: Bool, read: @escaping (StorageReference, inout ReadBudget) throws -> Data) {
        (self.isBigEndian, self.read) = (isBigEndian, read)
    }

    /// The elements of a storage, little-endian; at least as many as it claims.
    /// - Throws: ``PyTorchError``.
    mutating func bytes(of storage: StorageReference, budget: inout ReadBudget) throws -> Data {
        let name = "\(storage.key) \(storage.elementType)"
        if known[name] == nil {
            var bytes = try read(storage, &budget)
            if isBigEndian {
                try budget.pay(bytes.count, for: "the storage '\(storage.key)'")
                bytes = bytes.swapped(size: storage.elementType.byteCount)
            }
            known[name] = bytes
        }
        guard let bytes = known[name], let needed = storage.byteCount, needed <= bytes.count else {
            throw PyTorchError(
                .truncated,
                "the storage '\(storage.key)' has fewer than its \(storage.count) elements. "
                    + "Copy or download the file again.")
        }
        return bytes
    }
}
