import Tensors

/// Tversky loss (Salehi et al. 2017): Dice with prices of its own for too much and for too little.
public struct TverskyLoss: SegmentationLoss, Hashable {
    /// The price of false positives.
    public var falsePositives = 0.7
    /// The price of false negatives.
    public var falseNegatives = 0.3
    /// Sum over the batch before the quotient.
    public var batch = false
    /// Whether class 0 enters the mean.
    public var includeBackground = true
    /// What is added above and below the line.
    public var smooth = 1e-7
    /// Voxels with this label count nowhere.
    public var ignoredLabel: Int32?

    /// The MedISeg survey's. Papers more often pay 0.7 for false negatives; the survey's code does the reverse.
    public init() {}

    /// Unless overlaps are summed over the batch.
    public var isMeanOverSamples: Bool { !batch }

    /// `tversky`, in 0...1.
    public func terms(_ logits: Tensor, labels: LabelMap, progress: Double) -> [LossTerm] {
        let value = tversky(
            logits, labels: labels, falsePositives: falsePositives, falseNegatives: falseNegatives, batch: batch,
            includeBackground: includeBackground, smooth: smooth, ignoring: ignoredLabel)
        return [LossTerm("tversky", weight: 1, value: value)]
    }
}
