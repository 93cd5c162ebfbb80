import Foundation

/// Spells values as a pickle of protocol 2, with the operations that `torch.save` uses.
struct PickleWriter {
    /// The pickle so far.
    private(set) var bytes = Data([PickleOperation.proto.rawValue, 2])
    /// The tensors whose numbers the archive must hold, by the number of their record.
    private(set) var storages: [StoredTensor] = []
    private var numbers: [String: Int] = [:]
    private var memo: [String: UInt32] = [:]

    /// The pickle of one value.
    init(_ content: PyTorchContent) {
        write(content)
        put(.init(ascii: "."))
    }

    private mutating func write(_ content: PyTorchContent) {
        switch content {
        case .none: put(.none)
        case .bool(let value): put(value ? .newTrue : .newFalse)
        case .integer(let value): write(value)
        case .number(let value):
            put(.binFloat)
            withUnsafeBytes(of: value.bitPattern.bigEndian) { bytes.append(contentsOf: $0) }
        case .text(let text): write(text)
        case .list(let elements):
            put(.emptyList)
            put(.mark)
            for element in elements { write(element) }
            put(.appends)
        case .tuple(let elements):
            put(.mark)
            for element in elements { write(element) }
            put(.tuple)
        case .dictionary(let pairs):
            put(.emptyDictionary)
            put(.mark)
            for (key, value) in pairs {
                write(key)
                write(value)
            }
            put(.setItems)
        case .tensor(let tensor, let storage): write(tensor, storage)
        }
    }

    /// `_rebuild_tensor_v2(storage, 0, sizes, strides, False, OrderedDict())`.
    private mutating func write(_ tensor: StoredTensor, _ storage: String) {
        let number = numbers[storage] ?? storages.count
        if number == storages.count {
            storages.append(tensor)
            numbers[storage] = number
        }
        var strides = [Int](repeating: 1, count: tensor.shape.count)
        for axis in tensor.shape.indices.dropLast().reversed() {
            strides[axis] = strides[axis + 1] * max(1, tensor.shape[axis + 1])
        }
        write(global: "torch._utils", "_rebuild_tensor_v2")
        put(.mark)
        put(.mark)
        write("storage")
        write(global: "torch", tensor.elementType.pytorchStorage)
        write("\(number)")
        write("cpu")
        write(tensor.count)
        put(.tuple)
        put(.persistentID)
        write(0)
        write(.tuple(tensor.shape.map { .integer($0) }))
        write(.tuple(strides.map { .integer($0) }))
        put(.newFalse)
        write(global: "collections", "OrderedDict")
        put(.emptyTuple)
        put(.reduce)
        put(.tuple)
        put(.reduce)
    }

    private mutating func write(_ value: Int) {
        if let small = Int32(exactly: value) {
            put(.binInt)
            append(small)
        } else {
            put(.long1)
            put(8)
            append(Int64(value))
        }
    }

    private mutating func write(_ text: String) {
        put(.binUnicode)
        append(UInt32(text.utf8.count))
        bytes.append(contentsOf: text.utf8)
    }

    /// A function or class: named once, then recalled.
    private mutating func write(global module: String, _ name: String) {
        let key = "\(module) \(name)"
        if let index = memo[key] {
            put(.longBinGet)
            append(index)
        } else {
            put(.global)
            bytes.append(contentsOf: "\(module)\n\(name)\n".utf8)
            let index = UInt32(memo.count)
            memo[key] = index
            put(.longBinPut)
            append(index)
        }
    }

    private mutating func put(_ operation: PickleOperation) { put(operation.rawValue) }

    private mutating func put(_ byte: UInt8) { bytes.append(byte) }

    private mutating func append(_ value: some FixedWidthInteger) { bytes.append(littleEndian: value) }
}

extension Data {
    /// Appends an integer, its lowest byte first.
    mutating func append(littleEndian value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }
}
