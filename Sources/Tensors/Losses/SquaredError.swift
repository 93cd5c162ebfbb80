/// `sum of weights (prediction - target)^2 / sum of weights`; with no weights the mean over all elements.
///
/// - Parameters:
///   - prediction: `[N, D, H, W, C]`.
///   - target: like `prediction`; no gradient flows to it.
///   - weights: `[N, D, H, W, 1]`, the same for all channels; the denominator counts every channel. Where they are all
///     0, the loss is 0.
/// - Returns: a scalar.
public func squaredError(_ prediction: Tensor, target: Tensor, weights: Tensor? = nil) -> Tensor {
    meanError(prediction, target: target, weights: weights, of: { $0 * $0 }, slope: { 2 * $0 })
}

/// `sum of weights |prediction - target| / sum of weights`; parameters as of ``squaredError(_:target:weights:)``. The
/// derivative at 0 is 0.
public func absoluteError(_ prediction: Tensor, target: Tensor, weights: Tensor? = nil) -> Tensor {
    meanError(prediction, target: target, weights: weights, of: { abs($0) }, slope: { $0 > 0 ? 1 : $0 < 0 ? -1 : 0 })
}

/// The weighted mean of a function of the differences, with the function's derivative.
@inline(__always)
private func meanError(
    _ prediction: Tensor, target: Tensor, weights: Tensor?, of term: (Double) -> Double,
    slope: @escaping (Float) -> Float
) -> Tensor {
    check(
        prediction.visibility == nil && target.visibility == nil && weights?.visibility == nil,
        "an error wants dense maps")
    check(prediction.shape == target.shape, "a target \(target.shape) for a prediction \(prediction.shape)")
    let (cpu, count) = (prediction.cpu, prediction.shape.count)
    let channels = weights == nil ? 1 : prediction.shape.channels
    check(
        weights.map { $0.shape.count * channels == count } ?? true,
        "weights \(weights?.shape ?? []) for a prediction \(prediction.shape)")
    let (p, t, w) = (prediction.pointer, target.pointer, weights?.pointer)
    let sum = cpu.sum(count) { i in term(Double(p[i]) - Double(t[i])) * Double(w?[i / channels] ?? 1) }
    let total = w.map { w in cpu.sum(count / channels) { Double(w[$0]) } * Double(channels) } ?? Double(count)
    let value = Tensor([total > 0 ? Float(sum / total) : 0], shape: [], on: cpu)
    return value.recorded(from: [prediction]) { [weights] gradient in
        let factor = total > 0 ? gradient.item / Float(total) : 0
        return [
            prediction.elementwise { out, range in
                let w = weights?.pointer
                for i in range {
                    out[i] =
                        factor * (w?[i / channels] ?? 1) * slope(prediction.pointer[i] - target.pointer[i])
                }
            }
        ]
    }
}

/// The mean squared error over the hidden voxels of all samples together: the loss of masked auto-encoders.
///
/// - Parameter mask: `[N, gD, gH, gW]`, a grid that divides the extent of `prediction`. With no hidden cell the loss is 0.
public func hiddenSquaredError(_ prediction: Tensor, target: Tensor, mask: BlockMask) -> Tensor {
    let hidden = mask.voxels(in: prediction.shape.extent).map { 1 - $0 }
    let shape = Shape(samples: prediction.shape.samples, extent: prediction.shape.extent, channels: 1)
    return squaredError(prediction, target: target, weights: Tensor(hidden, shape: shape, on: prediction.cpu))
}
