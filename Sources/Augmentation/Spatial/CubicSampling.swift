import Tensors
import Volumes

extension SamplingGrid {
    /// Evaluates the cubic B-spline through the voxels at each place; 0 where a place lies beyond the centres of the border
    /// voxels of `limits`.
    ///
    /// - Parameters:
    ///   - coefficients: `[C, D, H, W]`, from ``splineCoefficients(of:extent:channels:)``.
    ///   - limits: the box that counts, in voxels of the array; it may be larger than the array where no place lies.
    func sampleCubically(_ coefficients: [Float], extent size: Extent3, channels: Int, limits: VoxelBox) -> [Float] {
        let lower = SIMD3(Double(limits.origin[0]), Double(limits.origin[1]), Double(limits.origin[2]))
        let upper = SIMD3(
            Double(limits.depth.upperBound - 1), Double(limits.height.upperBound - 1),
            Double(limits.width.upperBound - 1))
        return [Float](unsafeUninitializedCapacity: channels * extent.volume) { target, count in
            coefficients.withUnsafeBufferPointer { coefficients in
                for channel in 0..<channels {
                    let voxels = UnsafeBufferPointer(
                        rebasing: coefficients[channel * size.volume..<(channel + 1) * size.volume])
                    let result = UnsafeMutableBufferPointer(
                        rebasing: target[channel * extent.volume..<(channel + 1) * extent.volume])
                    forEach { index, place in
                        let isIn =
                            place.x >= lower.x && place.y >= lower.y && place.z >= lower.z
                            && place.x <= upper.x && place.y <= upper.y && place.z <= upper.z
                        result[index] = isIn ? Self.evaluate(voxels, size, place) : 0
                    }
                }
            }
            count = channels * extent.volume
        }
    }

    @inline(__always)
    private static func evaluate(
        _ coefficients: UnsafeBufferPointer<Float>, _ size: Extent3, _ place: SIMD3<Double>
    ) -> Float {
        let cell = Cell(place)
        let (depth, height, width) = (weights(cell.rest.x), weights(cell.rest.y), weights(cell.rest.z))
        let isDeep =
            cell.depth >= 1 && cell.height >= 1 && cell.width >= 1 && cell.depth < size.depth - 2
            && cell.height < size.height - 2 && cell.width < size.width - 2
        guard isDeep, let base = coefficients.baseAddress else {
            return evaluateNearBorder(coefficients, size, cell, depth, height, width)
        }
        var sums = SIMD4<Float>.zero
        for d in 0..<4 {
            let plane = base + ((cell.depth - 1 + d) * size.height + cell.height - 1) * size.width + cell.width - 1
            for h in 0..<4 {
                let row = UnsafeRawPointer(plane + h * size.width).loadUnaligned(as: SIMD4<Float>.self)
                sums += (depth[d] * height[h]) * row
            }
        }
        return (sums * width).sum()
    }

    /// Beyond the array the spline continues mirrored.
    @inline(never)
    private static func evaluateNearBorder(
        _ coefficients: UnsafeBufferPointer<Float>, _ size: Extent3, _ cell: Cell, _ depth: SIMD4<Float>,
        _ height: SIMD4<Float>, _ width: SIMD4<Float>
    ) -> Float {
        var sum: Float = 0
        for d in 0..<4 {
            for h in 0..<4 {
                let row =
                    reflected(cell.depth - 1 + d, size.depth) * size.height
                    + reflected(cell.height - 1 + h, size.height)
                for w in 0..<4 {
                    let index = row * size.width + reflected(cell.width - 1 + w, size.width)
                    sum += depth[d] * height[h] * width[w] * coefficients[index]
                }
            }
        }
        return sum
    }

    /// The cubic B-spline at distances 1 + t, t, 1 - t and 2 - t from its centre.
    @inline(__always)
    private static func weights(_ t: Float) -> SIMD4<Float> {
        let u = 1 - t
        return SIMD4(
            u * u * u * (1 / 6), 2 / 3 - t * t * (2 - t) * 0.5, 2 / 3 - u * u * (2 - u) * 0.5, t * t * t * (1 / 6))
    }
}

/// The coefficients of the cubic B-spline through the voxels, mirrored at the borders (without repeating them).
///
/// Recursive filters with the pole z = sqrt(3) - 2 run forwards and backwards along each axis (Unser, Splines: a perfect fit
/// for signal and image processing, 1999).
/// - Parameter voxels: `[C, D, H, W]`.
func splineCoefficients(of voxels: [Float], extent: Extent3, channels: Int) -> [Float] {
    var result = voxels
    let sizes = extent.dimensions
    result.withUnsafeMutableBufferPointer { result in
        for axis in 0..<3 where sizes[axis] > 1 {
            let before = channels * sizes[..<axis].reduce(1, *)
            let after = sizes[(axis + 1)...].reduce(1, *)
            let block = sizes[axis] * after
            for outer in 0..<before {
                filter(
                    UnsafeMutableBufferPointer(rebasing: result[outer * block..<(outer + 1) * block]), sizes[axis],
                    after)
            }
        }
    }
    return result
}

/// Filters `after` neighbouring lines of `count` values at once: the inner loop runs along memory.
private func filter(_ lines: UnsafeMutableBufferPointer<Float>, _ count: Int, _ after: Int) {
    let pole: Float = -0.267_949_192_431_122_7
    let gain: Float = 6
    // The pole's 20th power is below what single precision resolves.
    let powers = (0..<20).map { index in (0..<index).reduce(Float(1)) { power, _ in power * pole } }
    for line in 0..<after {
        var sum: Float = 0
        for index in powers.indices { sum += powers[index] * lines[reflected(index, count) * after + line] }
        lines[line] = sum * gain
    }
    for index in 1..<count {
        let (here, before) = (index * after, (index - 1) * after)
        for line in 0..<after { lines[here + line] = gain * lines[here + line] + pole * lines[before + line] }
    }
    let (last, previous) = ((count - 1) * after, (count - 2) * after)
    let scale = pole / (pole * pole - 1)
    for line in 0..<after { lines[last + line] = scale * (lines[last + line] + pole * lines[previous + line]) }
    for index in stride(from: count - 2, through: 0, by: -1) {
        let (here, next) = (index * after, (index + 1) * after)
        for line in 0..<after { lines[here + line] = pole * (lines[next + line] - lines[here + line]) }
    }
}
