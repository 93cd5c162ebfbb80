import Tensors

/// Soft Dice plus cross-entropy, nnU-Net's loss (Isensee et al. 2021): `w_ce CE - w_dice mean Dice`.
///
/// Cross-entropy moves every voxel; Dice balances classes of very different size. The range of the default is `-1...∞`.
public struct DiceCrossEntropy: SegmentationLoss, Hashable {
    /// The weight of cross-entropy.
    public var crossEntropyWeight = 1.0
    /// The weight of minus the mean Dice.
    public var diceWeight = 1.0
    /// Sum overlaps over the batch before the quotient, as if it were one volume. Steadier where a class is often absent
    /// from a patch.
    public var batchDice = false
    /// Whether class 0 enters the mean Dice.
    public var includeBackground = false
    /// What is added above and below the line of Dice.
    public var smooth = 1e-5
    /// The regions of the channels, if they may overlap: sigmoid and binary cross-entropy replace softmax and
    /// cross-entropy, and every channel enters the mean Dice.
    public var regions: Regions?
    /// Voxels with this label count nowhere.
    public var ignoredLabel: Int32?

    /// nnU-Net's defaults.
    public init() {}

    /// Unless overlaps are summed over the batch, or samples differ in how many voxels count.
    public var isMeanOverSamples: Bool { !batchDice && ignoredLabel == nil }

    /// Over the batch of all ranks.
    public func pooled(_ pool: BatchPool) -> (any SegmentationLoss)? {
        isMeanOverSamples ? self : PooledDiceCrossEntropy(loss: self, pool: pool)
    }

    /// `cross_entropy` and `dice`, the latter in -1...0.
    public func terms(_ logits: Tensor, labels: LabelMap, progress: Double) -> [LossTerm] {
        terms(logits, labels: labels, overlaps: nil)
    }

    func terms(_ logits: Tensor, labels: LabelMap, overlaps: OverlapPool?) -> [LossTerm] {
        let (entropy, dice) =
            regions.map { overRegions($0, logits, labels, overlaps) } ?? overClasses(logits, labels, overlaps)
        return [
            LossTerm("cross_entropy", weight: crossEntropyWeight, value: entropy),
            LossTerm("dice", weight: diceWeight, value: dice),
        ]
    }

    private func overClasses(_ logits: Tensor, _ labels: LabelMap, _ overlaps: OverlapPool?) -> (Tensor, Tensor) {
        (
            crossEntropy(logits, labels: labels, ignoring: ignoredLabel),
            softDice(
                logits, labels: labels, batchDice: batchDice, includeBackground: includeBackground, smooth: smooth,
                ignoring: ignoredLabel, pool: overlaps)
        )
    }

    private func overRegions(_ regions: Regions, _ logits: Tensor, _ labels: LabelMap, _ overlaps: OverlapPool?) -> (
        Tensor, Tensor
    ) {
        (
            binaryCrossEntropy(logits, labels: labels, regions: regions, ignoring: ignoredLabel),
            regionDice(
                logits, labels: labels, regions: regions, batchDice: batchDice, smooth: smooth, ignoring: ignoredLabel,
                pool: overlaps)
        )
    }
}
