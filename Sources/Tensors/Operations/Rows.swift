/// The products of all rows of `a` with all rows of `b`: the matrix product of `a` and the transpose of `b`, in float32 at
/// every precision.
///
/// - Parameters:
///   - a: `[n, k]`.
///   - b: `[m, k]`.
/// - Returns: `[n, m]`.
public func rowProducts(_ a: Tensor, _ b: Tensor) -> Tensor {
    check(
        a.shape.rank == 2 && b.shape.rank == 2 && a.shape[1] == b.shape[1],
        "rowProducts wants [n, k] and [m, k], got \(a.shape) and \(b.shape)")
    let (rows, columns, length) = (a.shape[0], b.shape[0], a.shape[1])
    let result = Tensor(shape: [rows, columns], buffer: Buffer(count: rows * columns, on: a.cpu))
    a.cpu.parallelRows(rows, length: columns * length) { row in
        for column in 0..<columns {
            result.pointer[row * columns + column] = dot(
                a.pointer + row * length, b.pointer + column * length, length)
        }
    }
    return result.recorded(from: [a, b]) { gradient in
        [
            a.needsGradient ? combined(b, rows) { gradient.pointer[$0 * columns + $1] } : nil,
            b.needsGradient ? combined(a, columns) { gradient.pointer[$1 * columns + $0] } : nil,
        ]
    }
}

/// Each row divided by its length: points on the unit sphere.
///
/// - Parameter x: `[n, k]`. A row shorter than 1e-8 is divided by that.
public func unitRows(_ x: Tensor) -> Tensor {
    check(x.shape.rank == 2, "unitRows wants [n, k], got \(x.shape)")
    let (rows, length) = (x.shape[0], x.shape[1])
    let lengths = (0..<rows).map { row in
        max(1e-8, dot(x.pointer + row * length, x.pointer + row * length, length).squareRoot())
    }
    let y = Tensor(shape: x.shape, buffer: Buffer(count: x.shape.count, on: x.cpu))
    x.cpu.parallelRows(rows, length: length) { row in
        for i in row * length..<(row + 1) * length { y.pointer[i] = x.pointer[i] / lengths[row] }
    }
    return y.recorded(from: [x]) { gradient in
        let dx = Tensor(shape: x.shape, buffer: Buffer(count: x.shape.count, on: x.cpu))
        x.cpu.parallelRows(rows, length: length) { row in
            let along = dot(gradient.pointer + row * length, y.pointer + row * length, length)
            for i in row * length..<(row + 1) * length {
                dx.pointer[i] = (gradient.pointer[i] - along * y.pointer[i]) / lengths[row]
            }
        }
        return [dx]
    }
}

private func dot(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ count: Int) -> Float {
    var sums = SIMD8<Float>.zero
    var index = 0
    while index + 8 <= count {
        let (left, right) = (UnsafeRawPointer(a + index), UnsafeRawPointer(b + index))
        sums += left.loadUnaligned(as: SIMD8<Float>.self) * right.loadUnaligned(as: SIMD8<Float>.self)
        index += 8
    }
    var total = sums.sum()
    for i in index..<count { total += a[i] * b[i] }
    return total
}

/// `rows` rows, each the sum over the rows j of `x` of `weight(row, j) x[j]`.
private func combined(_ x: Tensor, _ rows: Int, _ weight: (_ row: Int, _ index: Int) -> Float) -> Tensor {
    let (count, length) = (x.shape[0], x.shape[1])
    let result = Tensor(zeros: [rows, length], on: x.cpu)
    x.cpu.parallelRows(rows, length: count * length) { row in
        let out = result.pointer + row * length
        for index in 0..<count {
            let (factor, source) = (weight(row, index), x.pointer + index * length)
            for i in 0..<length { out[i] += factor * source[i] }
        }
    }
    return result
}
