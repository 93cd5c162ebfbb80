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
///   - pool: where the other samples of the batch are, for `batchDice`; nil: there are none.
/// - Returns: a scalar.
public func softDice(
    _ logits: Tensor, labels: LabelMap, batchDice: Bool, includeBackground: Bool, smooth: Double,
    ignoring: Int32? = nil, pool: OverlapPool? = nil
) -> Tensor {
    let target = OverlapTarget(
        labels: labels, regions: nil, ignoring: ignoring, isPooled: batchDice, firstChannel: includeBackground ? 0 : 1,
        pool: pool)
    return overlapLoss(logits, target) { dice($0, smooth: smooth) }
}

/// ``softDice(_:labels:batchDice:includeBackground:smooth:ignoring:pool:)`` of overlapping regions: `p = sigmoid(logits)`,
/// and every channel counts.
///
/// - Parameter regions: the labels of each channel.
public func regionDice(
    _ logits: Tensor, labels: LabelMap, regions: Regions, batchDice: Bool, smooth: Double, ignoring: Int32? = nil,
    pool: OverlapPool? = nil
) -> Tensor {
    let target = OverlapTarget(
        labels: labels, regions: regions, ignoring: ignoring, isPooled: batchDice, firstChannel: 0, pool: pool)
    return overlapLoss(logits, target) { dice($0, smooth: smooth) }
}

private func dice(_ sums: OverlapSums, smooth: Double) -> OverlapCost {
    let denominator = sums.predicted + sums.expected + smooth
    let clamped = max(denominator, 1e-8)
    let numerator = 2 * sums.overlap + smooth
    return OverlapCost(
        value: -numerator / clamped, overlapSlope: -2 / clamped,
        predictedSlope: denominator > 1e-8 ? numerator / (clamped * clamped) : 0)
}
