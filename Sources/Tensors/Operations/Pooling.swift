/// Average over each window, zeros in the padding counted: divided by the kernel's volume everywhere.
///
/// Of a masked map, visible output voxels only are computed.
/// - Parameter x: `[N, D, H, W, C]`; the result is `[N, D', H', W', C]`, `D' = floor((D + 2 padding - kernel) / stride) + 1`.
public func averagePool3D(_ x: Tensor, kernel: Extent3, stride: Extent3, padding: Extent3 = 0) -> Tensor {
    let window = PoolingWindow(kernel: kernel, stride: stride, padding: padding, input: x.shape.extent)
    let channels = x.shape.channels
    let shape = Shape(samples: x.shape.samples, extent: window.output, channels: channels)
    let visibility = x.visibility.flatMap { $0.cell(in: window.output) == nil ? nil : $0 }
    let share = 1 / Float(kernel.volume)
    func pooled(_ x: Tensor) -> Tensor {
        let result = Tensor(shape: shape, buffer: Buffer(count: shape.count, on: x.cpu), visibility: visibility)
        if !window.keepsBlocks(of: visibility) { x.clearHidden() }
        window.forEachVisible(result) { sample, voxel, target in
            let out = result.pointer + target * channels
            out.update(repeating: 0, count: channels)
            window.forEachInput(of: voxel) { source in
                let row = x.pointer + (sample * x.shape.extent.volume + source) * channels
                for c in 0..<channels { out[c] += row[c] }
            }
            for c in 0..<channels { out[c] *= share }
        }
        return result
    }
    let kept = Kept(x, if: x.needsGradient)
    return pooled(x).recorded(from: [x]) { gradient in
        let cpu = gradient.cpu
        let dx = Tensor(
            shape: kept.shape, buffer: Buffer(count: kept.shape.count, on: cpu), visibility: kept.visibility)
        if !window.keepsBlocks(of: kept.visibility) { gradient.clearHidden() }
        window.forEachVisible(dx) { sample, voxel, target in
            let out = dx.pointer + target * channels
            out.update(repeating: 0, count: channels)
            window.forEachOutput(seeing: voxel) { source in
                let row = gradient.pointer + (sample * window.output.volume + source) * channels
                for c in 0..<channels { out[c] += row[c] }
            }
            for c in 0..<channels { out[c] *= share }
        }
        return [dx]
    }.remakable { pooled(kept.value) }
}

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

/// Which input voxels each output voxel of a pooling sees.
private struct PoolingWindow {
    let kernel, stride, padding, input, output: Extent3

    init(kernel: Extent3, stride: Extent3, padding: Extent3, input: Extent3) {
        (self.kernel, self.stride, self.padding, self.input) = (kernel, stride, padding, input)
        output = ConvGeometry(kernel: kernel, stride: stride, padding: padding).outputExtent(of: input)
    }

    /// Whether no window holds voxels of different blocks, so that visible outputs and visible inputs see each other only.
    func keepsBlocks(of mask: BlockMask?) -> Bool {
        guard let mask else { return false }
        guard let cell = mask.cell(in: input), mask.cell(in: output) != nil else { return false }
        return padding == 0 && (0..<3).allSatisfy { kernel[$0] <= stride[$0] && cell[$0] % stride[$0] == 0 }
    }

    /// Calls `body(sample, voxel, linear index in the batch)` for the visible voxels of a map, in parallel.
    func forEachVisible(_ map: Tensor, _ body: (Int, Extent3, Int) -> Void) {
        let (extent, spans) = (map.shape.extent, Spans(of: map))
        map.cpu.parallel(spans.pieces.count) { piece in
            let sample = spans.pieces[piece].sample
            for span in spans.spans[spans.pieces[piece].spans] {
                for index in Int(span.start)..<Int(span.start + span.count) {
                    let voxel = index - sample * extent.volume
                    let plane = extent.height * extent.width
                    body(
                        sample,
                        Extent3(
                            depth: voxel / plane, height: voxel % plane / extent.width, width: voxel % extent.width),
                        index)
                }
            }
        }
    }

    /// Calls `body` with the linear index of each input voxel in the window of an output voxel, in d, h, w order.
    @inline(__always)
    func forEachInput(of voxel: Extent3, _ body: (Int) -> Void) {
        func range(_ axis: Int) -> Range<Int> {
            let start = voxel[axis] * stride[axis] - padding[axis]
            return max(0, start)..<max(max(0, start), min(input[axis], start + kernel[axis]))
        }
        let (heights, widths) = (range(1), range(2))
        for d in range(0) {
            for h in heights {
                for w in widths { body((d * input.height + h) * input.width + w) }
            }
        }
    }

    /// Calls `body` with the linear index of each output voxel whose window holds an input voxel.
    @inline(__always)
    func forEachOutput(seeing voxel: Extent3, _ body: (Int) -> Void) {
        func range(_ axis: Int) -> Range<Int> {
            let position = voxel[axis] + padding[axis]
            let first = max(0, position - kernel[axis] + stride[axis]) / stride[axis]
            return first..<max(first, min(output[axis], position / stride[axis] + 1))
        }
        let (heights, widths) = (range(1), range(2))
        for d in range(0) {
            for h in heights {
                for w in widths { body((d * output.height + h) * output.width + w) }
            }
        }
    }
}
