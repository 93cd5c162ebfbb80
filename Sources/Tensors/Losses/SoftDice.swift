/// Soft Dice as a loss: minus the mean over classes (and samples, unless `batchDice`) of
/// `(2 I + smooth) / max(P + G + smooth, 1e-8)`, with `I = sum p g`, `P = sum p`, `G = sum g` over voxels.
///
/// `p = softmax(logits)`, `g` is the one-hot label. Classes that are absent count. This is nnU-Net's form, in -1...0.
/// - Parameters:
///   - logits: `[N, D, H, W, C]`.
///   - labels: `[N, D, H, W]`.
///   - batchDice: sum over the samples as well, as if the batch were one volume.
///   - includeBackground: whether class 0 enters the mean.
///   - ignoring: a label whose voxels are left out of all sums.
/// - Returns: a scalar.
public func softDice(
    _ logits: Tensor, labels: LabelMap, batchDice: Bool, includeBackground: Bool, smooth: Double, ignoring: Int32? = nil
) -> Tensor {
    labels.checkFit(logits, ignoring: ignoring)
    let (channels, cpu, volume) = (logits.shape.channels, logits.cpu, labels.extent.volume)
    let probabilities = softmax(logits.detached)
    let sums = DiceSums(probabilities, labels, ignoring: ignoring, pooled: batchDice)
    let first = includeBackground ? 0 : 1
    let terms = Double(sums.groups * (channels - first))
    // Per group and class: the Dice coefficient and its derivatives after I and after P.
    var dice = 0.0
    var slopes = [(overlap: Float, size: Float)](repeating: (0, 0), count: sums.groups * channels)
    for index in slopes.indices where index % channels >= first {
        let denominator = sums.predicted[index] + sums.expected[index] + smooth
        let clamped = max(denominator, 1e-8)
        let numerator = 2 * sums.overlap[index] + smooth
        dice += numerator / clamped
        slopes[index] = (
            Float(-2 / clamped / terms), denominator > 1e-8 ? Float(numerator / (clamped * clamped) / terms) : 0
        )
    }
    let value = Tensor([Float(-dice / terms)], shape: [], on: cpu)
    return value.recorded(from: [logits]) { gradient in
        let upstream = gradient.item
        let dx = Tensor(shape: logits.shape, buffer: Buffer(count: logits.shape.count, on: cpu))
        labels.labels.withUnsafeBufferPointer { target in
            cpu.parallelStretches(labels.labels.count) { range in
                for voxel in range {
                    let (p, out) = (probabilities.pointer + voxel * channels, dx.pointer + voxel * channels)
                    guard target[voxel] != ignoring else {
                        out.update(repeating: 0, count: channels)
                        continue
                    }
                    let group = batchDice ? 0 : voxel / volume * channels
                    var dot: Float = 0
                    for c in 0..<channels {
                        out[c] = slopes[group + c].size + (Int(target[voxel]) == c ? slopes[group + c].overlap : 0)
                        dot += out[c] * p[c]
                    }
                    for c in 0..<channels { out[c] = upstream * p[c] * (out[c] - dot) }
                }
            }
        }
        return [dx]
    }
}

/// The three sums of soft Dice per group (a sample, or the batch) and class, `[group][class]`.
private struct DiceSums {
    let groups: Int
    private(set) var overlap: [Double]
    private(set) var predicted: [Double]
    private(set) var expected: [Double]

    init(_ probabilities: Tensor, _ labels: LabelMap, ignoring: Int32?, pooled: Bool) {
        let (channels, volume) = (probabilities.shape.channels, labels.extent.volume)
        groups = pooled ? 1 : labels.samples
        overlap = [Double](repeating: 0, count: groups * channels)
        predicted = overlap
        expected = overlap
        // Partial sums over fixed stretches of each sample, added in order.
        let stretch = 1 << 13
        let perSample = (volume + stretch - 1) / stretch
        var partial = [Double](repeating: 0, count: labels.samples * perSample * 3 * channels)
        partial.withUnsafeMutableBufferPointer { partial in
            labels.labels.withUnsafeBufferPointer { target in
                probabilities.cpu.parallel(labels.samples * perSample) { task in
                    let sums = partial.baseAddress! + task * 3 * channels
                    let start = task % perSample * stretch
                    for offset in start..<min(volume, start + stretch) {
                        let voxel = task / perSample * volume + offset
                        guard target[voxel] != ignoring else { continue }
                        let (p, label) = (probabilities.pointer + voxel * channels, Int(target[voxel]))
                        for c in 0..<channels { sums[channels + c] += Double(p[c]) }
                        sums[label] += Double(p[label])
                        sums[2 * channels + label] += 1
                    }
                }
            }
        }
        for task in 0..<labels.samples * perSample {
            let group = pooled ? 0 : task / perSample * channels
            for c in 0..<channels {
                overlap[group + c] += partial[task * 3 * channels + c]
                predicted[group + c] += partial[(task * 3 + 1) * channels + c]
                expected[group + c] += partial[(task * 3 + 2) * channels + c]
            }
        }
    }
}
