import Foundation

/// Focal loss: the mean over voxels of `w[t] (1 - p)^gamma (-ln p)`, with `p = softmax(logits)[t]`. Voxels that are
/// right already count less. Lin et al. 2017, arXiv:1708.02002.
///
/// - Parameters:
///   - logits: `[N, D, H, W, C]`.
///   - labels: the classes `t`, `[N, D, H, W]`.
///   - gamma: 0 gives cross-entropy.
///   - classWeights: `w`, `[C]`, used as given: the mean divides by the number of voxels. `nil` for ones.
///   - ignoring: a label whose voxels do not count. Without any voxel left the loss is 0.
/// - Returns: a scalar.
public func focalCrossEntropy(
    _ logits: Tensor, labels: LabelMap, gamma: Double, classWeights: [Float]? = nil, ignoring: Int32? = nil
) -> Tensor {
    let (cpu, voxels, gamma) = (logits.cpu, labels.labels.count, Float(gamma))
    return voxelwiseLoss(logits, labels: labels, ignoring: ignoring) { entropies in
        let weights = labels.voxelWeights(
            classWeights, ignoring: ignoring, like: entropies, classes: logits.shape.channels)
        let counted = labels.labels.withUnsafeBufferPointer { target in
            cpu.sum(voxels) { target[$0] == ignoring ? 0 : 1 }
        }
        let share = counted > 0 ? 1 / counted : 0
        let loss = cpu.sum(voxels) { voxel in
            let entropy = entropies.pointer[voxel]
            return Double(weights.pointer[voxel] * powf(-expm1f(-entropy), gamma) * entropy)
        }
        let slopes = entropies.elementwise { out, range in
            for voxel in range {
                // With e = -ln p and q = 1 - p: the derivative of q^gamma e after e is q^gamma (1 + gamma p e / q).
                let entropy = entropies.pointer[voxel]
                let missing = -expm1f(-entropy)
                let ratio = missing > 0 ? entropy / missing : 1
                out[voxel] =
                    Float(share) * weights.pointer[voxel] * powf(missing, gamma)
                    * (1 + gamma * (1 - missing) * ratio)
            }
        }
        return (loss * share, slopes)
    }
}
