/// How ``upsample(_:to:mode:)`` finds values between voxels.
public enum UpsamplingMode: Sendable, Equatable {
    /// Linear along each axis. With aligned corners output `i` reads `i (in - 1) / (out - 1)`, else half-pixel centres:
    /// `max(0, (i + 1/2) in / out - 1/2)`.
    case trilinear(alignCorners: Bool)
    /// The voxel `floor(i in / out)`.
    case nearest
}

/// A map resampled to another extent.
///
/// - Parameter x: `[N, D, H, W, C]`, dense. The result is `[N, D', H', W', C]`.
public func upsample(_ x: Tensor, to extent: Extent3, mode: UpsamplingMode) -> Tensor {
    check(x.visibility == nil, "upsample wants a dense map")
    let taps = (0..<3).map { AxisTaps(input: x.shape.extent[$0], output: extent[$0], mode: mode) }
    let (channels, input) = (x.shape.channels, x.shape.extent)
    let shape = Shape(samples: x.shape.samples, extent: extent, channels: channels)
    /// Calls `body(input voxel, weight)` for the up to eight voxels that an output voxel mixes.
    func forEachCorner(_ d: Int, _ h: Int, _ w: Int, _ body: (Int, Float) -> Void) {
        for (i, a) in taps[0].at(d) {
            for (j, b) in taps[1].at(h) {
                for (k, c) in taps[2].at(w) { body((i * input.height + j) * input.width + k, a * b * c) }
            }
        }
    }
    let result = Tensor(shape: shape, buffer: Buffer(count: shape.count, on: x.cpu))
    x.cpu.parallel(shape.samples * extent.depth) { row in
        let (sample, d) = (row / extent.depth, row % extent.depth)
        for h in 0..<extent.height {
            for w in 0..<extent.width {
                let out = result.pointer + ((row * extent.height + h) * extent.width + w) * channels
                out.update(repeating: 0, count: channels)
                forEachCorner(d, h, w) { voxel, weight in
                    let source = x.pointer + (sample * input.volume + voxel) * channels
                    for c in 0..<channels { out[c] += weight * source[c] }
                }
            }
        }
    }
    return result.recorded(from: [x]) { gradient in
        let dx = Tensor(zeros: x.shape, on: x.cpu)
        x.cpu.parallel(shape.samples) { sample in
            for d in 0..<extent.depth {
                for h in 0..<extent.height {
                    for w in 0..<extent.width {
                        let row = ((sample * extent.depth + d) * extent.height + h) * extent.width + w
                        forEachCorner(d, h, w) { voxel, weight in
                            let target = dx.pointer + (sample * input.volume + voxel) * channels
                            for c in 0..<channels { target[c] += weight * gradient.pointer[row * channels + c] }
                        }
                    }
                }
            }
        }
        return [dx]
    }
}

/// The one or two input positions, with weights, that each output position along one axis mixes.
private struct AxisTaps {
    private let positions: [[(index: Int, weight: Float)]]

    init(input: Int, output: Int, mode: UpsamplingMode) {
        positions = (0..<output).map { i in
            let source: Double
            switch mode {
            case .nearest: return [(min(input - 1, i * input / output), 1)]
            case .trilinear(alignCorners: true): source = output > 1 ? Double(i * (input - 1)) / Double(output - 1) : 0
            case .trilinear(alignCorners: false):
                source = max(0, (Double(i) + 0.5) * Double(input) / Double(output) - 0.5)
            }
            let low = min(input - 1, Int(source))
            let fraction = Float(source - Double(low))
            guard low + 1 < input, fraction > 0 else { return [(low, 1)] }
            return [(low, 1 - fraction), (low + 1, fraction)]
        }
    }

    func at(_ output: Int) -> [(index: Int, weight: Float)] { positions[output] }
}
