/// Tversky loss: 1 minus the mean over classes (and samples, unless `batch`) of
/// `(TP + smooth) / (TP + a FP + b FN + smooth)`, with `TP = sum p g`, `FP = sum p (1 - g)`, `FN = sum (1 - p) g`.
///
/// `a = b = 1/2` gives Dice. Salehi, Erdogmus, Gholipour 2017, arXiv:1706.05721.
/// - Parameters:
///   - logits: `[N, D, H, W, C]`; `p` is their softmax.
///   - labels: `[N, D, H, W]`; `g` is one-hot.
///   - falsePositives: `a`, the cost of too much.
///   - falseNegatives: `b`, the cost of too little.
///   - ignoring: a label whose voxels are left out of all sums.
/// - Returns: a scalar.
public func tversky(
    _ logits: Tensor, labels: LabelMap, falsePositives: Double, falseNegatives: Double, batch: Bool,
    includeBackground: Bool, smooth: Double, ignoring: Int32? = nil
) -> Tensor {
    let target = OverlapTarget(
        labels: labels, regions: nil, ignoring: ignoring, isPooled: batch, firstChannel: includeBackground ? 0 : 1)
    return overlapLoss(logits, target) { sums in
        let numerator = sums.overlap + smooth
        let shareOfOverlap = 1 - falsePositives - falseNegatives
        let denominator =
            shareOfOverlap * sums.overlap + falsePositives * sums.predicted + falseNegatives * sums.expected + smooth
        guard denominator > 0 else { return OverlapCost(value: 0, overlapSlope: 0, predictedSlope: 0) }
        let index = numerator / denominator
        return OverlapCost(
            value: 1 - index, overlapSlope: (shareOfOverlap * index - 1) / denominator,
            predictedSlope: falsePositives * index / denominator)
    }
}
