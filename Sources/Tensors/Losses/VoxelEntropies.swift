import Foundation

/// A loss that depends on the logits through the cross-entropy of each voxel, `-ln softmax(logits)[t]`.
///
/// - Parameters:
///   - logits: `[N, D, H, W, C]`.
///   - labels: the classes `t`, `[N, D, H, W]`.
///   - ignoring: a label whose voxels have cross-entropy 0 and get no gradient.
///   - cost: from the cross-entropies `[N, D, H, W, 1]` to the loss and its derivative after each of them, of the same
///     shape.
/// - Returns: a scalar.
func voxelwiseLoss(
    _ logits: Tensor, labels: LabelMap, ignoring: Int32?,
    _ cost: (_ entropies: Tensor) -> (value: Double, slopes: Tensor)
) -> Tensor {
    let (value, slopes) = cost(voxelEntropies(logits, labels: labels, ignoring: ignoring))
    let (channels, cpu, voxels) = (logits.shape.channels, logits.cpu, labels.labels.count)
    let loss = Tensor([Float(value)], shape: [], on: cpu)
    return loss.recorded(from: [logits]) { gradient in
        let upstream = gradient.item
        let dx = Tensor(shape: logits.shape, buffer: Buffer(count: logits.shape.count, on: cpu))
        labels.labels.withUnsafeBufferPointer { target in
            cpu.parallelStretches(voxels) { range in
                for voxel in range {
                    let out = dx.pointer + voxel * channels
                    let factor = upstream * slopes.pointer[voxel]
                    guard target[voxel] != ignoring, factor != 0 else {
                        out.update(repeating: 0, count: channels)
                        continue
                    }
                    softmaxRow(logits.pointer + voxel * channels, out, channels)
                    out[Int(target[voxel])] -= 1
                    for c in 0..<channels { out[c] *= factor }
                }
            }
        }
        return [dx]
    }
}

/// The cross-entropy of each voxel, `[N, D, H, W, 1]`: never negative, 0 where ignored.
private func voxelEntropies(_ logits: Tensor, labels: LabelMap, ignoring: Int32?) -> Tensor {
    labels.checkFit(logits, ignoring: ignoring)
    let (channels, cpu, voxels) = (logits.shape.channels, logits.cpu, labels.labels.count)
    let shape = Shape(samples: labels.samples, extent: labels.extent, channels: 1)
    let entropies = Tensor(shape: shape, buffer: Buffer(count: voxels, on: cpu))
    labels.labels.withUnsafeBufferPointer { target in
        cpu.parallelStretches(voxels) { range in
            for voxel in range {
                guard target[voxel] != ignoring else {
                    entropies.pointer[voxel] = 0
                    continue
                }
                let row = logits.pointer + voxel * channels
                var largest = row[0]
                for c in 1..<max(1, channels) { largest = max(largest, row[c]) }
                var sum: Float = 0
                for c in 0..<channels { sum += exp(row[c] - largest) }
                entropies.pointer[voxel] = log(sum) + largest - row[Int(target[voxel])]
            }
        }
    }
    return entropies
}

extension LabelMap {
    /// The weight of each voxel's class, `[N, D, H, W, 1]`; 0 where ignored.
    func voxelWeights(_ classWeights: [Float]?, ignoring: Int32?, like entropies: Tensor, classes: Int) -> Tensor {
        check(classWeights.map { $0.count == classes } ?? true, "one weight per class, please")
        return labels.withUnsafeBufferPointer { target in
            entropies.elementwise { out, range in
                for voxel in range {
                    let label = target[voxel]
                    out[voxel] = label == ignoring ? 0 : classWeights?[Int(label)] ?? 1
                }
            }
        }
    }
}
