import Foundation

/// Region-related focal loss: Dice of each sample and class, reweighted by how much of the region is found.
///
/// With `I = sum p g`, `P = sum p`, `G = sum g` and `e = 1e-8`: `a = 1 - (I + e) / (P + G + e)`,
/// `w = ln(beta ((G + e) / (I + e))^a) / ln gamma`, `l = 1 - w (2 I + e) / (P + G + e)`. The loss is the mean over
/// samples and classes of half of `l` and half of `l` with `1 - p` and `1 - g`. A perfect prediction gives
/// `1 - ln beta / ln gamma`, which is negative for the usual values.
///
/// After the public code `lb-whu/RFL_ITA`; all factors are differentiated.
/// - Parameters:
///   - logits: `[N, D, H, W, C]`; `p` is their softmax.
///   - labels: `[N, D, H, W]`; `g` is one-hot.
///   - ignoring: a label whose voxels are left out of all sums.
/// - Returns: a scalar.
public func regionFocal(
    _ logits: Tensor, labels: LabelMap, beta: Double, gamma: Double, includeBackground: Bool, ignoring: Int32? = nil
) -> Tensor {
    let target = OverlapTarget(
        labels: labels, regions: nil, ignoring: ignoring, isPooled: false, firstChannel: includeBackground ? 0 : 1)
    return overlapLoss(logits, target) { sums in
        let inside = reweightedDice(sums, beta: beta, gamma: gamma)
        // sum (1 - p)(1 - g) grows with sum p g and shrinks with sum p; sum (1 - p) shrinks with sum p.
        let outside = reweightedDice(sums.complement, beta: beta, gamma: gamma)
        return OverlapCost(
            value: (inside.value + outside.value) / 2,
            overlapSlope: (inside.overlapSlope + outside.overlapSlope) / 2,
            predictedSlope: (inside.predictedSlope - outside.overlapSlope - outside.predictedSlope) / 2)
    }
}

private func reweightedDice(_ sums: OverlapSums, beta: Double, gamma: Double) -> OverlapCost {
    let small = 1e-8
    let (overlap, size) = (sums.overlap + small, sums.predicted + sums.expected + small)
    let expected = sums.expected + small
    let missed = 1 - overlap / size
    let weight = (log(beta) + missed * log(expected / overlap)) / log(gamma)
    let dice = (2 * sums.overlap + small) / size
    let weightAfterOverlap = (-log(expected / overlap) / size - missed / overlap) / log(gamma)
    let weightAfterSize = log(expected / overlap) * overlap / (size * size) / log(gamma)
    return OverlapCost(
        value: 1 - weight * dice, overlapSlope: -(weightAfterOverlap * dice + weight * 2 / size),
        predictedSlope: -(weightAfterSize * dice - weight * dice / size))
}

extension OverlapSums {
    /// The sums of `1 - p` and `1 - g`.
    fileprivate var complement: OverlapSums {
        OverlapSums(
            overlap: max(0, voxels - predicted - expected + overlap), predicted: voxels - predicted,
            expected: voxels - expected, voxels: voxels)
    }
}
