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
    /// Voxels with this label count nowhere.
    public var ignoredLabel: Int32?

    /// nnU-Net's defaults.
    public init() {}

    /// `cross_entropy` and `dice`, the latter in -1...0.
    public func terms(_ logits: Tensor, labels: LabelMap) -> [LossTerm] {
        [
            LossTerm(
                "cross_entropy", weight: crossEntropyWeight,
                value: crossEntropy(logits, labels: labels, ignoring: ignoredLabel)),
            LossTerm(
                "dice", weight: diceWeight,
                value: softDice(
                    logits, labels: labels, batchDice: batchDice, includeBackground: includeBackground, smooth: smooth,
                    ignoring: ignoredLabel)),
        ]
    }
}
