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
    labels.checkFit(logits, ignoring: ignoring)
    let (channels, cpu, voxels) = (logits.shape.channels, logits.cpu, labels.labels.count)
    check(classWeights.map { $0.count == channels } ?? true, "one weight per class, please")
    let weights = classWeights ?? [Float](repeating: 1, count: channels)
    let loss: Double
    let total: Double
    (loss, total) = labels.labels.withUnsafeBufferPointer { target in
        let total = cpu.sum(voxels) { target[$0] == ignoring ? 0 : Double(weights[Int(target[$0])]) }
        let loss = cpu.sum(voxels) { voxel in
            guard target[voxel] != ignoring else { return 0 }
            let row = logits.pointer + voxel * channels
            var largest = row[0]
            for c in 1..<max(1, channels) { largest = max(largest, row[c]) }
            var sum: Float = 0
            for c in 0..<channels { sum += exp(row[c] - largest) }
            let label = Int(target[voxel])
            return Double(weights[label] * (log(sum) + largest - row[label]))
        }
        return (loss, total)
    }
    let value = Tensor([total > 0 ? Float(loss / total) : 0], shape: [], on: cpu)
    return value.recorded(from: [logits]) { gradient in
        let factor = total > 0 ? gradient.item / Float(total) : 0
        let dx = Tensor(shape: logits.shape, buffer: Buffer(count: logits.shape.count, on: cpu))
        labels.labels.withUnsafeBufferPointer { target in
            cpu.parallelStretches(voxels) { range in
                for voxel in range {
                    let out = dx.pointer + voxel * channels
                    guard target[voxel] != ignoring else {
                        out.update(repeating: 0, count: channels)
                        continue
                    }
                    softmaxRow(logits.pointer + voxel * channels, out, channels)
                    let label = Int(target[voxel])
                    out[label] -= 1
                    for c in 0..<channels { out[c] *= factor * weights[label] }
                }
            }
        }
        return [dx]
    }
}
