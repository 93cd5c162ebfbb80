import Ranks
import Tensors

/// The batch that several ranks hold in parts, for losses whose denominators sum over all of its samples.
///
/// A loss that is pooled has the same value on all ranks. In the mean over ranks, weighted by samples, each rank's gradient
/// shrinks by its share of the batch: so it is divided by that share first.
public struct BatchPool: Sendable {
    private let ranks: any Communicator
    private let share: Double

    /// - Parameter share: of the batch's samples that this rank has.
    public init(_ ranks: any Communicator, share: Double) { (self.ranks, self.share) = (ranks, share) }

    /// What overlap losses need.
    var overlaps: OverlapPool { OverlapPool(gradientFactor: Float(1 / share)) { [ranks] in RankSum(ranks)($0) } }

    /// What this rank's mean over `count` things is multiplied by, so that the mean over ranks, weighted by samples, is that
    /// over the things of all ranks: `count / all counts / share`.
    func factor(count: Int) -> Double {
        let all = RankSum(ranks)([Double(count)])[0]
        return all > 0 ? Double(count) / all / share : 1
    }
}

/// Dice and cross-entropy over the batch of all ranks.
struct PooledDiceCrossEntropy: SegmentationLoss {
    var loss: DiceCrossEntropy
    var pool: BatchPool

    var isMeanOverSamples: Bool { true }

    func terms(_ logits: Tensor, labels: LabelMap, progress: Double) -> [LossTerm] {
        let overlaps = loss.batchDice ? pool.overlaps : nil
        var terms = loss.terms(logits, labels: labels, overlaps: overlaps)
        guard let ignored = loss.ignoredLabel else { return terms }
        let factor = pool.factor(count: labels.labels.count { $0 != ignored })
        terms[0].value = scale(terms[0].value, by: Float(factor))
        return terms
    }
}

/// Dice over the batch of all ranks.
struct PooledDice: SegmentationLoss {
    var loss: DiceLoss
    var pool: BatchPool

    var isMeanOverSamples: Bool { true }

    func terms(_ logits: Tensor, labels: LabelMap, progress: Double) -> [LossTerm] {
        loss.terms(logits, labels: labels, overlaps: pool.overlaps)
    }
}
