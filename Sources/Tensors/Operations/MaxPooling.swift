/// Largest value of each window; padding never wins. The gradient goes to the first maximum in d, h, w order.
///
/// - Parameter x: `[N, D, H, W, C]`, dense.
public func maxPool3D(_ x: Tensor, kernel: Extent3, stride: Extent3, padding: Extent3 = 0) -> Tensor {
    check(x.visibility == nil, "maxPool3D wants a dense map")
    let window = PoolingWindow(kernel: kernel, stride: stride, padding: padding, input: x.shape.extent)
    let channels = x.shape.channels
    let shape = Shape(samples: x.shape.samples, extent: window.output, channels: channels)
    let result = Tensor(shape: shape, buffer: Buffer(count: shape.count, on: x.cpu))
    let winners = WinnerMap(count: shape.count)
    window.forEachVisible(result) { sample, voxel, target in
        let (out, winner) = (result.pointer + target * channels, winners.pointer + target * channels)
        out.update(repeating: -.infinity, count: channels)
        window.forEachInput(of: voxel) { source in
            let row = x.pointer + (sample * x.shape.extent.volume + source) * channels
            for c in 0..<channels where row[c] > out[c] || out[c] == -.infinity {
                out[c] = row[c]
                winner[c] = Int32(source)
            }
        }
    }
    return result.recorded(from: [x]) { gradient in
        let dx = Tensor(zeros: x.shape, on: x.cpu)
        // Windows may overlap: one sample's channels belong to one task, which adds in order.
        x.cpu.parallel(x.shape.samples) { sample in
            for voxel in 0..<window.output.volume {
                let row = (sample * window.output.volume + voxel) * channels
                for c in 0..<channels {
                    let source = sample * x.shape.extent.volume + Int(winners.pointer[row + c])
                    dx.pointer[source * channels + c] += gradient.pointer[row + c]
                }
            }
        }
        return [dx]
    }
}

/// The input voxel, within its sample, that won each output element.
private final class WinnerMap {
    let pointer: UnsafeMutablePointer<Int32>
    init(count: Int) { pointer = .allocate(capacity: count) }
    deinit { pointer.deallocate() }
}
