/// Tensors one after another along an axis; feature maps side by side along the channels by default.
///
/// - Parameters:
///   - maps: dense, equal but along `axis`, such as `[N, D, H, W, C_i]`.
///   - axis: by default the last. The result has the sum of their sizes there, such as `[N, D, H, W, sum of C_i]`.
public func concatenate(_ maps: [Tensor], axis: Int? = nil) -> Tensor {
    let first = maps[0].shape
    let axis = axis ?? first.rank - 1
    func others(_ shape: Shape) -> [Int] { Array(shape.dimensions[..<axis] + shape.dimensions[(axis + 1)...]) }
    check(
        maps.allSatisfy { $0.shape.rank == first.rank && others($0.shape) == others(first) && $0.visibility == nil },
        "concatenate wants dense tensors of one extent, got \(maps.map(\.shape))")
    let (outer, inner) = (first.dimensions[..<axis].reduce(1, *), first.dimensions[(axis + 1)...].reduce(1, *))
    let counts = maps.map { $0.shape[axis] * inner }
    let total = counts.reduce(0, +)
    let offsets = counts.indices.map { counts[..<$0].reduce(0, +) }
    let cpu = maps[0].cpu
    var dimensions = first.dimensions
    dimensions[axis] = maps.reduce(0) { $0 + $1.shape[axis] }
    func joined(_ part: (Int) -> Tensor) -> Tensor {
        let result = Tensor(shape: Shape(dimensions), buffer: Buffer(count: outer * total, on: cpu))
        for (map, count) in counts.enumerated() {
            let tensor = part(map)
            cpu.copyRows(
                outer, of: count, from: tensor.pointer, every: count, to: result.pointer + offsets[map], every: total)
        }
        return result
    }
    // Sizes only: gradients do not read the maps.
    let parts = maps.map { $0.needsGradient ? $0.shape : nil }
    let kept = maps.needGradient ? maps.map { Kept($0) } : []
    return joined { maps[$0] }.recorded(from: maps) { gradient in
        parts.indices.map { map in
            guard let shape = parts[map] else { return nil }
            let part = Tensor(shape: shape, buffer: Buffer(count: shape.count, on: cpu))
            cpu.copyRows(
                outer, of: counts[map], from: gradient.pointer + offsets[map], every: total, to: part.pointer,
                every: counts[map])
            return part
        }
    }.remakable { joined { kept[$0].value } }
}

extension CPU {
    /// Copies `rows` rows of `count` elements that begin so many elements apart.
    func copyRows(
        _ rows: Int, of count: Int, from source: UnsafePointer<Float>, every sourceStride: Int,
        to target: UnsafeMutablePointer<Float>, every targetStride: Int
    ) {
        parallelRows(rows, length: count) { row in
            (target + row * targetStride).update(from: source + row * sourceStride, count: count)
        }
    }
}
