/// What overlap losses are made of: sums over the voxels of a group (a sample, or the batch) for one channel, with `p`
/// what is predicted and `g` what is expected.
struct OverlapSums {
    /// `sum p g`.
    var overlap = 0.0
    /// `sum p`.
    var predicted = 0.0
    /// `sum g`.
    var expected = 0.0
    /// The number of voxels that count.
    var voxels = 0.0
}

/// One summand of an overlap loss, with its derivatives after `sum p g` and `sum p`.
struct OverlapCost {
    var value: Double
    var overlapSlope: Double
    var predictedSlope: Double
}

/// What logits are compared with in an overlap loss, and over what is averaged.
struct OverlapTarget {
    /// `[N, D, H, W]`.
    var labels: LabelMap
    /// The labels of each channel, for sigmoids of overlapping regions; `nil` for the softmax of one class per voxel.
    var regions: Regions?
    /// Voxels with this label are left out of all sums.
    var ignoring: Int32?
    /// Whether samples are summed before the quotient, as if the batch were one volume.
    var isPooled: Bool
    /// The first channel that counts: 1 leaves out the background.
    var firstChannel: Int
    /// Where the rest of the batch is, if samples are summed and others hold some.
    var pool: OverlapPool?
}

/// Sums over samples that are elsewhere: for overlap losses of a batch that several processes hold in parts.
public struct OverlapPool {
    /// What the gradient of this part is multiplied by.
    public var gradientFactor: Float
    /// From the sums over this part to those over the batch.
    public var sum: ([Double]) -> [Double]

    /// A pool.
    public init(gradientFactor: Float, sum: @escaping ([Double]) -> [Double]) {
        (self.gradientFactor, self.sum) = (gradientFactor, sum)
    }
}

/// The mean over groups and channels of `cost`, a function of the overlap of prediction and target.
/// - Parameter logits: `[N, D, H, W, C]`.
/// - Returns: a scalar.
func overlapLoss(_ logits: Tensor, _ target: OverlapTarget, _ cost: (OverlapSums) -> OverlapCost) -> Tensor {
    let (channels, cpu, labels) = (logits.shape.channels, logits.cpu, target.labels)
    let table = MembershipTable(target.regions, labels: labels, logits: logits, ignoring: target.ignoring)
    let probabilities = target.regions == nil ? softmax(logits.detached) : sigmoid(logits.detached)
    var sums = overlapSums(probabilities, target, table)
    if target.isPooled, let pool = target.pool { sums = sums.pooled(pool) }
    let factor = target.isPooled ? target.pool?.gradientFactor ?? 1 : 1
    let terms = Double(sums.count / channels * (channels - target.firstChannel))
    var loss = 0.0
    var slopes = [(overlap: Float, predicted: Float)](repeating: (0, 0), count: sums.count)
    for index in sums.indices where index % channels >= target.firstChannel {
        let term = cost(sums[index])
        loss += term.value
        slopes[index] = (Float(term.overlapSlope / terms), Float(term.predictedSlope / terms))
    }
    let value = Tensor([Float(loss / terms)], shape: [], on: cpu)
    return value.recorded(from: [logits]) { gradient in
        let (upstream, volume, isSoftmax) = (gradient.item * factor, labels.extent.volume, target.regions == nil)
        let dx = Tensor(shape: logits.shape, buffer: Buffer(count: logits.shape.count, on: cpu))
        labels.labels.withUnsafeBufferPointer { label in
            cpu.parallelStretches(labels.labels.count) { range in
                for voxel in range {
                    let (p, out) = (probabilities.pointer + voxel * channels, dx.pointer + voxel * channels)
                    guard label[voxel] != target.ignoring else {
                        out.update(repeating: 0, count: channels)
                        continue
                    }
                    let group = target.isPooled ? 0 : voxel / volume * channels
                    let expected = Int(label[voxel]) * channels
                    var dot: Float = 0
                    for c in 0..<channels {
                        let slope = slopes[group + c]
                        out[c] = slope.predicted + slope.overlap * table.values[expected + c]
                        dot += out[c] * p[c]
                    }
                    for c in 0..<channels { out[c] = upstream * p[c] * (out[c] - (isSoftmax ? dot : out[c] * p[c])) }
                }
            }
        }
        return [dx]
    }
}

extension [OverlapSums] {
    fileprivate func pooled(_ pool: OverlapPool) -> [OverlapSums] {
        let numbers = pool.sum(flatMap { [$0.overlap, $0.predicted, $0.expected, $0.voxels] })
        return indices.map {
            OverlapSums(
                overlap: numbers[4 * $0], predicted: numbers[4 * $0 + 1], expected: numbers[4 * $0 + 2],
                voxels: numbers[4 * $0 + 3])
        }
    }
}

/// The sums of every group and channel, `[group][channel]`.
private func overlapSums(_ probabilities: Tensor, _ target: OverlapTarget, _ table: MembershipTable) -> [OverlapSums] {
    let (channels, labels) = (probabilities.shape.channels, target.labels)
    let volume = labels.extent.volume
    // Partial sums over fixed stretches of each sample, added in order: voxels that count, then three per channel.
    let stretch = 1 << 13
    let (perSample, width) = ((volume + stretch - 1) / stretch, 1 + 3 * channels)
    var partial = [Double](repeating: 0, count: labels.samples * perSample * width)
    partial.withUnsafeMutableBufferPointer { partial in
        labels.labels.withUnsafeBufferPointer { label in
            probabilities.cpu.parallel(labels.samples * perSample) { task in
                let sums = partial.baseAddress! + task * width
                let start = task % perSample * stretch
                for offset in start..<min(volume, start + stretch) {
                    let voxel = task / perSample * volume + offset
                    guard label[voxel] != target.ignoring else { continue }
                    let (p, expected) = (probabilities.pointer + voxel * channels, Int(label[voxel]) * channels)
                    sums[0] += 1
                    for c in 0..<channels {
                        let (p, g) = (Double(p[c]), Double(table.values[expected + c]))
                        sums[1 + 3 * c] += p * g
                        sums[2 + 3 * c] += p
                        sums[3 + 3 * c] += g
                    }
                }
            }
        }
    }
    var groups = [OverlapSums](repeating: OverlapSums(), count: (target.isPooled ? 1 : labels.samples) * channels)
    for task in 0..<labels.samples * perSample {
        let (group, row) = (target.isPooled ? 0 : task / perSample * channels, task * width)
        for c in 0..<channels {
            groups[group + c].voxels += partial[row]
            groups[group + c].overlap += partial[row + 1 + 3 * c]
            groups[group + c].predicted += partial[row + 2 + 3 * c]
            groups[group + c].expected += partial[row + 3 + 3 * c]
        }
    }
    return groups
}
