import Foundation

/// The numbers that several tensors of a checkpoint may share, by the key that the file knows them under.
struct StorageReference: Hashable {
    var key: String
    var elementType: ElementType
    /// The number of elements.
    var count: Int
    /// The elements that are meant, in old files not always all.
    var part: Range<Int>

    /// The bytes that the elements take; nil for more than any machine has.
    var byteCount: Int? {
        let (bytes, overflow) = count.multipliedReportingOverflow(by: elementType.byteCount)
        return overflow ? nil : bytes
    }
}

/// A tensor as a view into its storage: element `(i, j, ...)` lies at `offset + i * strides[0] + j * strides[1] + ...`.
struct TensorView {
    /// PyTorch's own limit.
    private static let mostAxes = 64

    let storage: StorageReference
    /// In elements, from the beginning of the whole storage.
    let offset: Int
    let sizes: [Int]
    let strides: [Int]

    /// A view that was checked against its storage.
    /// - Throws: ``PyTorchError`` of kind `badTensor`.
    init(storage: StorageReference, offset: Int, sizes: [Int], strides: [Int]) throws {
        func bad(_ problem: String) -> PyTorchError {
            PyTorchError(.badTensor, "a tensor of the storage '\(storage.key)' \(problem). The file is damaged.")
        }
        guard sizes.count == strides.count else { throw bad("has \(sizes.count) sizes and \(strides.count) strides") }
        guard sizes.count <= Self.mostAxes else { throw bad("has \(sizes.count) axes") }
        guard offset >= 0, !sizes.contains(where: { $0 < 0 }), !strides.contains(where: { $0 < 0 }) else {
            throw bad("has a negative size, stride or offset")
        }
        guard storage.elementType.byteCount(of: sizes) != nil else { throw bad("is larger than any memory") }
        var last = offset
        for (size, stride) in zip(sizes, strides) where size > 1 {
            let (reach, isTooFar) = (size - 1).multipliedReportingOverflow(by: stride)
            let (sum, isBeyond) = last.addingReportingOverflow(reach)
            guard !isTooFar, !isBeyond else { throw bad("reaches beyond any memory") }
            last = sum
        }
        let isEmpty = sizes.contains(0)
        guard isEmpty || last < storage.part.count else {
            throw bad("reaches element \(last) of \(storage.part.count)")
        }
        (self.storage, self.sizes) = (storage, sizes)
        // The stride of an axis of one element means nothing, and may be any number.
        self.strides = zip(sizes, strides).map { $0 > 1 ? $1 : 0 }
        self.offset = isEmpty ? storage.part.lowerBound : storage.part.lowerBound + offset
    }

    /// The elements in row-major order: a slice of the storage where they lie so, else a copy.
    /// - Parameter bytes: of the whole storage, little-endian.
    /// - Throws: ``PyTorchError`` of kind `badTensor` for a copy that is not worth its memory.
    func tensor(from bytes: Data, budget: inout ReadBudget) throws -> StoredTensor {
        let type = storage.elementType
        let width = type.byteCount
        guard let byteCount = type.byteCount(of: sizes), storage.byteCount ?? .max <= bytes.count else {
            throw PyTorchError(.badTensor, "the storage '\(storage.key)' is too short for its tensors.")
        }
        let first = bytes.startIndex + offset * width
        if isContiguous {
            return StoredTensor(elementType: type, shape: sizes, bytes: bytes[first..<first + byteCount])
        }
        do {
            try budget.pay(byteCount, for: "a tensor")
        } catch {
            throw PyTorchError(
                .badTensor,
                "a tensor of the storage '\(storage.key)' repeats few numbers \(sizes) times: "
                    + "it would take far more memory than the file.")
        }
        var copy = Data(count: byteCount)
        copy.withUnsafeMutableBytes { target in
            bytes[first...].withUnsafeBytes { source in gather(source, into: target, width: width) }
        }
        return StoredTensor(elementType: type, shape: sizes, bytes: copy)
    }

    private var isContiguous: Bool {
        if sizes.contains(0) { return true }
        var expected = 1
        for (size, stride) in zip(sizes, strides).reversed() where size > 1 {
            if stride != expected { return false }
            expected *= size
        }
        return true
    }

    /// Copies element by element; `source` begins at the first one.
    private func gather(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer, width: Int) {
        guard let from = source.baseAddress, let to = target.baseAddress else { return }
        var place = [Int](repeating: 0, count: sizes.count)
        var element = 0
        for index in 0..<target.count / width {
            (to + index * width).copyMemory(from: from + element * width, byteCount: width)
            for axis in sizes.indices.reversed() {
                place[axis] += 1
                element += strides[axis]
                if place[axis] < sizes[axis] { break }
                element -= sizes[axis] * strides[axis]
                place[axis] = 0
            }
        }
    }
}

extension Data {
    /// The same elements of `size` bytes each in the other byte order.
    func swapped(size: Int) -> Data {
        var result = Data(self)
        guard size > 1 else { return result }
        result.withUnsafeMutableBytes { bytes in
            for start in stride(from: 0, through: bytes.count - size, by: size) {
                bytes[start..<start + size].reverse()
            }
        }
        return result
    }
}
