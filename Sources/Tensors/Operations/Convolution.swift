/// 3D convolution: `y[o] = bias + sum over taps t of x[o * stride - padding + t * dilation] weight[t]`, zero outside.
///
/// Where `x` is masked, only visible voxels of the output are computed; hidden ones are zero. An output too coarse for
/// the mask's grid counts as visible everywhere.
/// - Parameters:
///   - x: `[N, D, H, W, in]`.
///   - weight: `[kD, kH, kW, in, out]`, as a ``Parameter`` of layout `convolution` holds it.
///   - bias: `[out]`.
/// - Returns: `[N, D', H', W', out]`.
public func conv3D(_ x: Tensor, weight: Tensor, bias: Tensor?, _ geometry: ConvGeometry) -> Tensor {
    checkWeight(weight, inputs: x.shape.channels, axis: 3, geometry, "conv3D")
    let extent = geometry.outputExtent(of: x.shape.extent)
    let shape = Shape(samples: x.shape.samples, extent: extent, channels: weight.shape[4])
    let visibility = x.visibility.flatMap { $0.cell(in: extent) == nil ? nil : $0 }
    let inputs = [x, weight] + (bias.map { [$0] } ?? [])
    // A network's first convolution, of few channels, is sooner computed again than its result read from memory.
    let isCheap = x.shape.channels * geometry.kernel.volume <= 32
    let kept = Kept(x, if: isCheap ? inputs.needGradient : weight.needsGradient)
    let output = convolve(x, weight, bias, geometry, shape: shape, visibility: visibility)
        .known(as: x.filling?.convolved(geometry)).recorded(from: inputs) { gradient in
            // The input's memory is free again before its gradient asks for as much.
            var gradients = [
                nil,
                weight.needsGradient
                    ? GatheredProduct(
                        source: kept.value, geometry: geometry, pixels: extent, mask: visibility, transposed: false
                    ).outerProduct(with: gradient).reshaped(to: weight.shape) : nil,
            ]
            if let bias {
                gradients.append(bias.needsGradient ? channelSums(gradient, visibility: visibility) : nil)
            }
            if kept.needsGradient {
                gradients[0] = convolveAdjoint(
                    gradient, weight, nil, geometry, shape: kept.shape, visibility: kept.visibility,
                    filling: kept.filling)
            }
            return gradients
        }
    guard isCheap else { return output }
    return output.remakable {
        convolve(kept.value, weight, bias, geometry, shape: shape, visibility: visibility)
    }
}

/// `y = x weight + bias` over the last axis.
///
/// - Parameters:
///   - x: `[..., in]`.
///   - weight: `[1, 1, 1, in, out]`, as a ``Parameter`` of layout `convolution` and shape `[out, in]` holds it.
///   - bias: `[out]`.
/// - Returns: `[..., out]`.
public func linear(_ x: Tensor, weight: Tensor, bias: Tensor?) -> Tensor {
    check(x.shape.rank >= 1, "linear wants [..., in], got \(x.shape)")
    let rows = Shape([1, 1, 1, x.shape.dimensions.dropLast().reduce(1, *), x.shape.dimensions.last!])
    let y = conv3D(x.reshaped(to: rows), weight: weight, bias: bias, ConvGeometry(kernel: 1))
    return y.reshaped(to: Shape(x.shape.dimensions.dropLast() + [weight.shape[4]]))
}

/// `convolve` and `convolveAdjoint` are each other's input gradients.
func convolve(
    _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, _ geometry: ConvGeometry, shape: Shape, visibility: BlockMask?
) -> Tensor {
    let output = Tensor(shape: shape, buffer: Buffer(count: shape.count, on: x.cpu), visibility: visibility)
    GatheredProduct(source: x, geometry: geometry, pixels: shape.extent, mask: visibility, transposed: false)
        .multiply(weight, adjoint: false, bias: bias, into: output.pointer)
    return output
}

/// - Parameter filling: what is known of the map that the result is the gradient of.
func convolveAdjoint(
    _ y: Tensor, _ weight: Tensor, _ bias: Tensor?, _ geometry: ConvGeometry, shape: Shape, visibility: BlockMask?,
    filling: Filling? = nil
) -> Tensor {
    let output = Tensor(shape: shape, buffer: Buffer(count: shape.count, on: y.cpu), visibility: visibility)
    GatheredProduct(
        source: y, geometry: geometry, pixels: shape.extent, mask: visibility, transposed: true, resultFilling: filling
    ).multiply(weight, adjoint: true, bias: bias, into: output.pointer)
    return output
}

func checkWeight(_ weight: Tensor, inputs: Int, axis: Int, _ geometry: ConvGeometry, _ name: String) {
    check(
        weight.shape.rank == 5 && Array(weight.shape.dimensions[..<3]) == geometry.kernel.dimensions
            && weight.shape[axis] == inputs,
        "\(name) with kernel \(geometry.kernel) of \(inputs) channels got weights \(weight.shape)")
}
