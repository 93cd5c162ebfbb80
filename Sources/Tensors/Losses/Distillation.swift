import Foundation

/// How far a softened prediction is from a softened target:
/// `T² * mean over voxels of KL(target ‖ softmax(logits / T))` (Hinton et al. 2015, arXiv:1503.02531). The factor `T²`
/// keeps the size of the gradients, which fall by it.
///
/// - Parameters:
///   - logits: `[N, D, H, W, C]`.
///   - target: the probabilities of a teacher, already softened by `T`, of the same shape; no gradient flows to it.
///   - areRegions: whether channels overlap: then each is a probability of its own, and the divergences of all are added.
/// - Returns: a scalar, never negative but for rounding.
public func distillation(_ logits: Tensor, target: Tensor, temperature: Double, areRegions: Bool = false) -> Tensor {
    check(logits.visibility == nil && target.visibility == nil, "distillation wants dense maps")
    check(logits.shape == target.shape, "a target \(target.shape) for logits \(logits.shape)")
    let (cpu, channels) = (logits.cpu, logits.shape.channels)
    let voxels = logits.shape.count / max(1, channels)
    let sharpness = Float(1 / temperature)
    let total = cpu.sum(voxels) { voxel in
        let (z, q) = (logits.pointer + voxel * channels, target.pointer + voxel * channels)
        return areRegions
            ? bernoulliDivergence(q, z, sharpness, channels) : categoricalDivergence(q, z, sharpness, channels)
    }
    let value = Tensor([Float(temperature * temperature * total / Double(voxels))], shape: [], on: cpu)
    return value.recorded(from: [logits]) { gradient in
        let factor = gradient.item * Float(temperature / Double(voxels))
        let softened = scale(logits.detached, by: sharpness)
        let prediction = areRegions ? sigmoid(softened) : softmax(softened)
        return [
            prediction.elementwise { out, range in
                for i in range { out[i] = factor * (prediction.pointer[i] - target.pointer[i]) }
            }
        ]
    }
}

/// `sum of q (ln q - ln softmax(z s))` of one voxel.
private func categoricalDivergence(
    _ q: UnsafePointer<Float>, _ z: UnsafePointer<Float>, _ sharpness: Float, _ channels: Int
) -> Double {
    var largest = z[0]
    for c in 1..<max(1, channels) { largest = max(largest, z[c]) }
    var sum = 0.0
    for c in 0..<channels { sum += exp(Double((z[c] - largest) * sharpness)) }
    var total = 0.0
    for c in 0..<channels where q[c] > 0 {
        total += Double(q[c]) * (log(Double(q[c])) - Double((z[c] - largest) * sharpness) + log(sum))
    }
    return total
}

/// `sum of KL(q ‖ sigmoid(z s))` of one voxel, each channel a coin of its own.
private func bernoulliDivergence(
    _ q: UnsafePointer<Float>, _ z: UnsafePointer<Float>, _ sharpness: Float, _ channels: Int
) -> Double {
    (0..<channels).reduce(0) { total, c in
        let (p, y) = (Double(q[c]), Double(z[c] * sharpness))
        let negentropy = (p > 0 ? p * log(p) : 0) + (p < 1 ? (1 - p) * log(1 - p) : 0)
        return total + negentropy + max(y, 0) + log1p(exp(-abs(y))) - p * y
    }
}
