import Tensors

/// Region-related focal loss: Dice, reweighted per sample and class by how much of the region is found.
public struct RegionFocalLoss: SegmentationLoss, Hashable {
    /// The larger, the more weight all regions have.
    public var beta = 100.0
    /// The base of the logarithm that weights are taken from.
    public var gamma = 40.0
    /// Whether class 0 enters the mean.
    public var includeBackground = false
    /// Voxels with this label count nowhere.
    public var ignoredLabel: Int32?

    /// The public code's values.
    public init() {}

    /// Each sample stands for itself.
    public var isMeanOverSamples: Bool { true }

    /// `region_focal`; for a perfect prediction `1 - ln beta / ln gamma`.
    public func terms(_ logits: Tensor, labels: LabelMap, progress: Double) -> [LossTerm] {
        let value = regionFocal(
            logits, labels: labels, beta: beta, gamma: gamma, includeBackground: includeBackground,
            ignoring: ignoredLabel)
        return [LossTerm("region_focal", weight: 1, value: value)]
    }
}
