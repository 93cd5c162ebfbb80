import Foundation

extension PickleMachine {
    /// The storage that `("storage", type, key, location, count)` names, in old files with a sixth element: nothing, or
    /// the part `(key, offset, count)` of the storage that is meant.
    func storage(named identifier: PickleValue) throws -> StorageReference {
        guard let fields = heap.elements(identifier), fields.count >= 5, case .text("storage") = fields[0],
            case .global(.storage(let type)) = fields[1], case .text(let key) = fields[2],
            case .integer(let count) = fields[4]
        else { throw Self.bad("a tensor's storage is not named as torch.save does") }
        guard count >= 0 else { throw PyTorchError(.badTensor, "the storage '\(key)' has \(count) elements.") }
        var storage = StorageReference(key: key, elementType: type, count: count, part: 0..<count)
        guard fields.count > 5, let part = heap.elements(fields[5]) else { return storage }
        guard part.count == 3, case .integer(let first) = part[1], case .integer(let partCount) = part[2], first >= 0,
            first <= count, partCount >= 0, partCount <= count - first
        else { throw PyTorchError(.badTensor, "a part of the storage '\(key)' lies outside of it.") }
        storage.part = first..<first + partCount
        return storage
    }

    /// The tensor of `_rebuild_tensor_v2(storage, offset, sizes, strides, ...)`.
    func tensor(_ arguments: [PickleValue]) throws -> TensorView {
        guard arguments.count >= 4, case .storage(let storage)? = heap[arguments[0]],
            case .integer(let offset) = arguments[1], let sizes = heap.integers(arguments[2]),
            let strides = heap.integers(arguments[3])
        else { throw Self.misused(.rebuildTensor) }
        return try TensorView(storage: storage, offset: offset, sizes: sizes, strides: strides)
    }

    /// The number of `scalar(type, bytes)`; opaque for elements that no tensor has, such as strings.
    func numpyScalar(_ arguments: [PickleValue]) throws -> PickleValue {
        guard arguments.count == 2, case .numpyType(let type, let isBigEndian)? = heap[arguments[0]] else {
            throw Self.misused(.numpyScalar)
        }
        guard let type, case .bytes(let bytes) = arguments[1] else { return .opaque }
        guard bytes.count == type.byteCount else { throw Self.misused(.numpyScalar) }
        let tensor = StoredTensor(
            elementType: type, shape: [], bytes: isBigEndian ? bytes.swapped(size: type.byteCount) : Data(bytes))
        guard !type.isFloatingPoint else { return .number(tensor.doubles()[0]) }
        let integer = try tensor.integers()[0]
        return type == .bool ? .bool(integer != 0) : .integer(integer)
    }

    /// The array whose state is `(version, shape, type, is in Fortran's order, bytes)`; nil for elements that no tensor
    /// has.
    mutating func numpyArray(_ state: PickleValue) throws -> StoredTensor? {
        guard let fields = heap.elements(state), fields.count == 5, let shape = heap.integers(fields[1]),
            case .numpyType(let type, let isBigEndian)? = heap[fields[2]], case .bool(let isFortran) = fields[3]
        else { throw Self.misused(.numpyReconstruct) }
        guard let type, case .bytes(var bytes) = fields[4] else { return nil }
        if isBigEndian {
            try budget.pay(bytes.count, for: "an array")
            bytes = bytes.swapped(size: type.byteCount)
        }
        let count = bytes.count / type.byteCount
        let storage = StorageReference(key: "array", elementType: type, count: count, part: 0..<count)
        var strides = [Int](repeating: 1, count: shape.count)
        let order = isFortran ? Array(shape.indices) : shape.indices.reversed()
        for (before, axis) in zip(order, order.dropFirst()) {
            strides[axis] = strides[before].multipliedReportingOverflow(by: shape[before]).partialValue
        }
        return try TensorView(storage: storage, offset: 0, sizes: shape, strides: strides)
            .tensor(from: bytes, budget: &budget)
    }
}
