import Tensors

/// Soft Dice alone: the MedISeg survey's `CBL-Dice` with the background, over each sample, and `smooth` 1e-8.
public struct DiceLoss: SegmentationLoss, Hashable {
    /// Sum overlaps over the batch before the quotient.
    public var batchDice = false
    /// Whether class 0 enters the mean.
    public var includeBackground = false
    /// What is added above and below the line.
    public var smooth = 1e-5
    /// Voxels with this label count nowhere.
    public var ignoredLabel: Int32?

    /// nnU-Net's Dice.
    public init() {}

    /// Unless overlaps are summed over the batch.
    public var isMeanOverSamples: Bool { !batchDice }

    /// Over the batch of all ranks.
    public func pooled(_ pool: BatchPool) -> (any SegmentationLoss)? {
        isMeanOverSamples ? self : PooledDice(loss: self, pool: pool)
    }

    /// `dice`, in -1...0.
    public func terms(_ logits: Tensor, labels: LabelMap, progress: Double) -> [LossTerm] {
        terms(logits, labels: labels, overlaps: nil)
    }

    func terms(_ logits: Tensor, labels: LabelMap, overlaps: OverlapPool?) -> [LossTerm] {
        let value = softDice(
            logits, labels: labels, batchDice: batchDice, includeBackground: includeBackground, smooth: smooth,
            ignoring: ignoredLabel, pool: overlaps)
        return [LossTerm("dice", weight: 1, value: value)]
    }
}
