/// Average over each window, zeros in the padding counted: divided by the kernel's volume everywhere.
///
/// Of a masked map, visible output voxels only are computed.
/// - Parameter x: `[N, D, H, W, C]`; the result is `[N, D', H', W', C]`, `D' = floor((D + 2 padding - kernel) / stride) + 1`.
public func averagePool3D(_ x: Tensor, kernel: Extent3, stride: Extent3, padding: Extent3 = 0) -> Tensor {
    let window = PoolingWindow(kernel: kernel, stride: stride, padding: padding, input: x.shape.extent)
    if x.visibility == nil, window.overlaps { return averagesAxisByAxis(x, window) }
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

/// ``averagePool3D(_:kernel:stride:padding:)`` of a dense map whose windows share voxels: sums along one axis after the other
/// take as many additions as the kernel has edges, not its volume.
private func averagesAxisByAxis(_ x: Tensor, _ window: PoolingWindow) -> Tensor {
    let axes = (0..<3).filter { window.kernel[$0] > 1 || window.stride[$0] > 1 || window.padding[$0] > 0 }
    let share = 1 / Float(window.kernel.volume)
    func sums(_ x: Tensor, _ ranges: (_ axis: Int) -> [Range<Int>]) -> Tensor {
        axes.reduce(x) { rangeSums($0, along: $1, ranges($1), times: $1 == axes.last ? share : 1) }
    }
    return sums(x) { axis in (0..<window.output[axis]).map { window.inputs(axis, of: $0) } }
        .recorded(from: [x]) { gradient in
            [sums(gradient) { axis in (0..<window.input[axis]).map { window.outputs(axis, seeing: $0) } }]
        }
}

/// `factor` times the sums over each of some ranges along an axis (0: depth) of a dense map.
private func rangeSums(_ x: Tensor, along axis: Int, _ ranges: [Range<Int>], times factor: Float) -> Tensor {
    var dimensions = x.shape.dimensions
    let (count, length) = (dimensions[axis + 1], dimensions[(axis + 2)...].reduce(1, *))
    dimensions[axis + 1] = ranges.count
    return Tensor(uninitialized: Shape(dimensions), on: x.cpu) { result in
        let result = result.baseAddress!
        x.cpu.parallelRows(dimensions[...(axis + 1)].reduce(1, *), length: length) { row in
            let (target, block) = (result + row * length, x.pointer + row / ranges.count * count * length)
            target.update(repeating: 0, count: length)
            for index in ranges[row % ranges.count] {
                let source = block + index * length
                for i in 0..<length { target[i] += source[i] }
            }
            for i in 0..<length { target[i] *= factor }
        }
    }
}
