import Foundation

/// Binary cross-entropy of overlapping regions: the mean over voxels and channels of `-g ln p - (1 - g) ln (1 - p)`,
/// with `p = sigmoid(logits)`.
///
/// - Parameters:
///   - logits: `[N, D, H, W, C]`, a channel for each region.
///   - labels: `[N, D, H, W]`.
///   - regions: the labels of each channel: there `g` is 1.
///   - ignoring: a label whose voxels do not count. Without any voxel left the loss is 0.
/// - Returns: a scalar.
public func binaryCrossEntropy(_ logits: Tensor, labels: LabelMap, regions: Regions, ignoring: Int32? = nil) -> Tensor {
    let table = MembershipTable(regions, labels: labels, logits: logits, ignoring: ignoring)
    let (channels, cpu, voxels) = (logits.shape.channels, logits.cpu, labels.labels.count)
    let (loss, counted) = labels.labels.withUnsafeBufferPointer { target in
        let counted = cpu.sum(voxels) { target[$0] == ignoring ? 0 : 1 }
        let loss = cpu.sum(voxels) { voxel in
            guard target[voxel] != ignoring else { return 0 }
            let (row, expected) = (logits.pointer + voxel * channels, Int(target[voxel]) * channels)
            var sum: Float = 0
            for c in 0..<channels {
                // ln(1 + e^z) - g z, without overflow.
                sum += max(row[c], 0) - row[c] * table.values[expected + c] + log1p(exp(-abs(row[c])))
            }
            return Double(sum)
        }
        return (loss, counted)
    }
    let share = counted > 0 ? 1 / (counted * Double(channels)) : 0
    let value = Tensor([Float(loss * share)], shape: [], on: cpu)
    return value.recorded(from: [logits]) { gradient in
        let factor = gradient.item * Float(share)
        let dx = Tensor(shape: logits.shape, buffer: Buffer(count: logits.shape.count, on: cpu))
        labels.labels.withUnsafeBufferPointer { target in
            cpu.parallelStretches(voxels) { range in
                for voxel in range {
                    let (row, out) = (logits.pointer + voxel * channels, dx.pointer + voxel * channels)
                    guard target[voxel] != ignoring else {
                        out.update(repeating: 0, count: channels)
                        continue
                    }
                    let expected = Int(target[voxel]) * channels
                    for c in 0..<channels {
                        out[c] = factor * (1 / (1 + exp(-row[c])) - table.values[expected + c])
                    }
                }
            }
        }
        return [dx]
    }
}
