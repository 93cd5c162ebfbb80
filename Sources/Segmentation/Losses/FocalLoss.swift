import Tensors

/// Focal loss (Lin et al. 2017): cross-entropy in which voxels count less the better they are predicted.
public struct FocalLoss: SegmentationLoss, Hashable {
    /// How much less; 0 is cross-entropy. The paper's and the surveys' value is 2.
    public var gamma = 2.0
    /// The weight of each class, `[C]`, used as given; nil for ones.
    public var classWeights: [Float]?
    /// Voxels with this label count nowhere.
    public var ignoredLabel: Int32?

    /// Gamma 2, all classes alike.
    public init() {}

    /// Unless samples differ in how many voxels count.
    public var isMeanOverSamples: Bool { ignoredLabel == nil }

    /// `focal`.
    public func terms(_ logits: Tensor, labels: LabelMap, progress: Double) -> [LossTerm] {
        let value = focalCrossEntropy(
            logits, labels: labels, gamma: gamma, classWeights: classWeights, ignoring: ignoredLabel)
        return [LossTerm("focal", weight: 1, value: value)]
    }
}
