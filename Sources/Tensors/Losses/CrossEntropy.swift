import Foundation

/// Cross-entropy: `sum over voxels of w[t] (-ln softmax(logits)[t]) / sum of w[t]`, without the ignored voxels.
///
/// - Parameters:
///   - logits: `[N, D, H, W, C]`.
///   - labels: the classes `t`, `[N, D, H, W]`.
///   - classWeights: `w`, `[C]`; `nil` for ones.
///   - ignoring: a label whose voxels do not count. Without any voxel left the loss is 0.
/// - Returns: a scalar.
public func crossEntropy(_ logits: Tensor, labels: LabelMap, classWeights: [Float]? = nil, ignoring: Int32? = nil)
    -> Tensor
{
    let (cpu, voxels) = (logits.cpu, labels.labels.count)
    return voxelwiseLoss(logits, labels: labels, ignoring: ignoring) { entropies in
        let weights = labels.voxelWeights(
            classWeights, ignoring: ignoring, like: entropies, classes: logits.shape.channels)
        let total = cpu.sum(voxels) { Double(weights.pointer[$0]) }
        let loss = cpu.sum(voxels) { Double(weights.pointer[$0] * entropies.pointer[$0]) }
        let share = total > 0 ? 1 / total : 0
        return (loss * share, scale(weights, by: Float(share)))
    }
}
