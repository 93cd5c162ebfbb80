/// The part of a tensor with indices in `range` along one axis: some samples, slices or channels.
///
/// - Parameter x: any shape, dense. The result has `range.count` along `axis`.
public func slice(_ x: Tensor, axis: Int, _ range: Range<Int>) -> Tensor {
    check(x.visibility == nil, "slice wants a dense tensor")
    check(
        (0..<x.shape.rank).contains(axis) && range.lowerBound >= 0 && range.upperBound <= x.shape[axis],
        "there is no \(range) along axis \(axis) of \(x.shape)")
    var dimensions = x.shape.dimensions
    let (outer, inner) = (dimensions[..<axis].reduce(1, *), dimensions[(axis + 1)...].reduce(1, *))
    let (stride, count, first) = (dimensions[axis] * inner, range.count * inner, range.lowerBound * inner)
    dimensions[axis] = range.count
    let result = Tensor(shape: Shape(dimensions), buffer: Buffer(count: outer * count, on: x.cpu))
    x.cpu.parallelRows(outer, length: count) { row in
        (result.pointer + row * count).update(from: x.pointer + row * stride + first, count: count)
    }
    return result.recorded(from: [x]) { gradient in
        let dx = Tensor(zeros: x.shape, on: x.cpu)
        x.cpu.parallelRows(outer, length: count) { row in
            (dx.pointer + row * stride + first).update(from: gradient.pointer + row * count, count: count)
        }
        return [dx]
    }
}

extension CPU {
    /// Calls `body` for each of `rows` rows of `length` elements, several short rows in one task.
    func parallelRows(_ rows: Int, length: Int, _ body: (Int) -> Void) {
        let group = max(1, (1 << 14) / max(1, length))
        parallel((rows + group - 1) / group) { task in
            for row in (task * group)..<min(rows, (task + 1) * group) { body(row) }
        }
    }
}
