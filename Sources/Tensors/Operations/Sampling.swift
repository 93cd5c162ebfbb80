/// A map looked up at places between its voxels, interpolated linearly along each axis: how images and features are warped.
///
/// - Parameters:
///   - x: `[N, D, H, W, C]`, dense; zero beyond its faces.
///   - places: `[N, D', H', W', 3]`: for each voxel of the result a depth, a height and a width in voxels of `x`, 0 the centre
///     of the first. Gradients flow to them, too.
/// - Returns: `[N, D', H', W', C]`.
public func sampleLinearly(_ x: Tensor, at places: Tensor) -> Tensor {
    check(x.visibility == nil && places.visibility == nil, "sampleLinearly wants dense maps")
    check(
        places.shape.channels == 3 && places.shape.samples == x.shape.samples,
        "places \(places.shape) do not fit a map \(x.shape)")
    let (input, channels, cpu) = (x.shape.extent, x.shape.channels, x.cpu)
    let (samples, rows) = (x.shape.samples, places.shape.extent.volume)
    let shape = Shape(samples: samples, extent: places.shape.extent, channels: channels)
    let result = Tensor(zeros: shape, on: cpu)
    cpu.parallelRows(samples * rows, length: 8 * channels) { row in
        let out = result.pointer + row * channels
        Corners(places.pointer + 3 * row).forEach(in: input) { voxel, share, _ in
            let source = x.pointer + (row / rows * input.volume + voxel) * channels
            for c in 0..<channels { out[c] += share * source[c] }
        }
    }
    return result.recorded(from: [x, places]) { gradient in
        var gradients: [Tensor?] = [nil, nil]
        if x.needsGradient {
            let dx = Tensor(zeros: x.shape, on: cpu)
            // Voxels are looked up any number of times: one task adds all that a sample gets, in order.
            cpu.parallel(samples) { sample in
                for row in sample * rows..<(sample + 1) * rows {
                    Corners(places.pointer + 3 * row).forEach(in: input) { voxel, share, _ in
                        let target = dx.pointer + (sample * input.volume + voxel) * channels
                        for c in 0..<channels { target[c] += share * gradient.pointer[row * channels + c] }
                    }
                }
            }
            gradients[0] = dx
        }
        if places.needsGradient {
            let moved = Tensor(zeros: places.shape, on: cpu)
            cpu.parallelRows(samples * rows, length: 8 * channels) { row in
                Corners(places.pointer + 3 * row).forEach(in: input) { voxel, _, slopes in
                    let source = x.pointer + (row / rows * input.volume + voxel) * channels
                    var along: Float = 0
                    for c in 0..<channels { along += gradient.pointer[row * channels + c] * source[c] }
                    for axis in 0..<3 { moved.pointer[3 * row + axis] += along * slopes[axis] }
                }
            }
            gradients[1] = moved
        }
        return gradients
    }
}

/// The eight voxels around a place.
private struct Corners {
    private let first: SIMD3<Int>
    private let rest: SIMD3<Float>

    @inline(__always)
    init(_ place: UnsafePointer<Float>) {
        // Places far outside look up nothing, but must not overflow an integer.
        let place = SIMD3(place[0], place[1], place[2]).clamped(
            lowerBound: SIMD3(repeating: -1e6), upperBound: SIMD3(repeating: 1e6))
        let floor = place.rounded(.down)
        first = SIMD3(Int(floor.x), Int(floor.y), Int(floor.z))
        rest = place - floor
    }

    /// Calls `body` for those within `extent`: position, share, and the share's derivatives along the axes.
    @inline(__always)
    func forEach(in extent: Extent3, _ body: (_ voxel: Int, _ share: Float, _ slopes: SIMD3<Float>) -> Void) {
        for corner in 0..<8 {
            let step = SIMD3(corner >> 2, corner >> 1 & 1, corner & 1)
            let (d, h, w) = (first.x + step.x, first.y + step.y, first.z + step.z)
            guard d >= 0, h >= 0, w >= 0, d < extent.depth, h < extent.height, w < extent.width else { continue }
            let signs = SIMD3<Float>(step.x == 1 ? 1 : -1, step.y == 1 ? 1 : -1, step.z == 1 ? 1 : -1)
            let shares = SIMD3<Float>(
                step.x == 1 ? rest.x : 1 - rest.x, step.y == 1 ? rest.y : 1 - rest.y,
                step.z == 1 ? rest.z : 1 - rest.z)
            body(
                (d * extent.height + h) * extent.width + w, shares.x * shares.y * shares.z,
                signs * SIMD3(shares.y * shares.z, shares.x * shares.z, shares.x * shares.y))
        }
    }
}
