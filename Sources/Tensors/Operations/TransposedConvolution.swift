/// Transposed 3D convolution, the adjoint of ``conv3D(_:weight:bias:_:)`` as a function of its input, plus a bias.
///
/// - Parameters:
///   - x: `[N, D, H, W, in]`, dense.
///   - weight: `[kD, kH, kW, out, in]`: the weights of the convolution it is the adjoint of.
///   - bias: `[out]`.
///   - outputPadding: extra voxels at the far end of each axis.
/// - Returns: `[N, D', H', W', out]`, `D' = (D - 1) stride - 2 padding + dilation (kernel - 1) + outputPadding + 1`.
public func convTranspose3D(
    _ x: Tensor, weight: Tensor, bias: Tensor?, _ geometry: ConvGeometry, outputPadding: Extent3 = 0
) -> Tensor {
    checkWeight(weight, inputs: x.shape.channels, axis: 4, geometry, "convTranspose3D")
    check(x.visibility == nil, "convTranspose3D wants a dense map: fill the hidden voxels first")
    let extent = geometry.transposedExtent(of: x.shape.extent, outputPadding: outputPadding)
    let shape = Shape(samples: x.shape.samples, extent: extent, channels: weight.shape[3])
    let inputs = [x, weight] + (bias.map { [$0] } ?? [])
    // One product for each output voxel and pair of channels.
    let isCheap = geometry.kernel == geometry.stride
    let kept = Kept(x, if: isCheap ? inputs.needGradient : weight.needsGradient)
    let output = convolveAdjoint(x, weight, bias, geometry, shape: shape, visibility: nil)
        .recorded(from: inputs) { convTransposeGradients($0, kept, weight, bias, geometry) }
    guard isCheap else { return output }
    return output.remakable { convolveAdjoint(kept.value, weight, bias, geometry, shape: shape, visibility: nil) }
}

/// `concatenate([convTranspose3D(x, ...), skip])` in one piece: the result of the convolution takes no memory of its own.
///
/// - Parameters:
///   - x: `[N, D, H, W, in]`, dense.
///   - weight: `[kD, kH, kW, out, in]`: the weights of the convolution it is the adjoint of.
///   - bias: `[out]`.
///   - geometry: with a kernel as large as its stride.
///   - skip: `[N, D', H', W', C]`, dense.
/// - Returns: `[N, D', H', W', out + C]`.
public func convTranspose3D(
    _ x: Tensor, weight: Tensor, bias: Tensor?, _ geometry: ConvGeometry, joining skip: consuming Tensor
) -> Tensor {
    checkWeight(weight, inputs: x.shape.channels, axis: 4, geometry, "convTranspose3D")
    check(geometry.kernel == geometry.stride, "joining wants a kernel as large as its stride, got \(geometry)")
    let skip = skip
    let extent = geometry.transposedExtent(of: x.shape.extent, outputPadding: 0)
    check(
        x.visibility == nil && skip.visibility == nil && skip.shape.extent == extent
            && skip.shape.samples == x.shape.samples,
        "joining wants dense maps, one of \(extent), got \(x.shape) and \(skip.shape)")
    let counts = (up: weight.shape[3], skip: skip.shape.channels)
    let shape = Shape(samples: x.shape.samples, extent: extent, channels: counts.up + counts.skip)
    func joined(_ x: Tensor, _ skip: Tensor) -> Tensor {
        let output = Tensor(shape: shape, buffer: Buffer(count: shape.count, on: x.cpu))
        GatheredProduct(source: x, geometry: geometry, pixels: extent, mask: nil, transposed: true)
            .multiply(weight, adjoint: true, bias: bias, into: output.pointer, rowLength: shape.channels)
        let rows = shape.count / shape.channels
        x.cpu.copyRows(
            rows, of: counts.skip, from: skip.pointer, every: counts.skip, to: output.pointer + counts.up,
            every: shape.channels)
        return output
    }
    let inputs = [x, skip, weight] + (bias.map { [$0] } ?? [])
    let filling = skip.filling?.joined(behind: counts.up)
    guard inputs.needGradient else { return joined(x, skip).known(as: filling) }
    let kept = (x: Kept(x), skip: Kept(skip))
    return joined(x, skip).known(as: filling).recorded(from: inputs) { gradient in
        func part(_ channels: Range<Int>) -> Tensor {
            let shape = Shape(samples: shape.samples, extent: extent, channels: channels.count)
            let part = Tensor(shape: shape, buffer: Buffer(count: shape.count, on: gradient.cpu))
            gradient.cpu.copyRows(
                shape.count / channels.count, of: channels.count, from: gradient.pointer + channels.lowerBound,
                every: counts.up + counts.skip, to: part.pointer, every: channels.count)
            return part
        }
        // The parts are not there at the same time.
        var gradients = convTransposeGradients(part(0..<counts.up), kept.x, weight, bias, geometry)
        gradients.insert(kept.skip.needsGradient ? part(counts.up..<shape.channels) : nil, at: 1)
        return gradients
    }.remakable { joined(kept.x.value, kept.skip.value) }
}

/// The gradients of a dense transposed convolution with respect to its input, weights and, if there is one, bias.
private func convTransposeGradients(
    _ gradient: Tensor, _ input: Kept, _ weight: Tensor, _ bias: Tensor?, _ geometry: ConvGeometry
) -> [Tensor?] {
    var gradients: [Tensor?] = [nil, nil]
    if input.needsGradient {
        gradients[0] = convolve(gradient, weight, nil, geometry, shape: input.shape, visibility: nil)
    }
    if weight.needsGradient {
        let product = GatheredProduct(
            source: gradient, geometry: geometry, pixels: input.shape.extent, mask: nil, transposed: false)
        gradients[1] = product.outerProduct(with: input.value).reshaped(to: weight.shape)
    }
    if let bias { gradients.append(bias.needsGradient ? channelSums(gradient, visibility: nil) : nil) }
    return gradients
}
