import Tensors

/// Cross-entropy of the hardest voxels of a batch: top-k loss and online hard example mining.
public struct HardVoxelLoss: SegmentationLoss, Hashable {
    /// Which voxels count.
    public enum Selection: Sendable, Hashable {
        /// `floor(voxels * percent / 100)`, ignored voxels among them: nnU-Net's top-k loss, 10 by default there.
        case percent(Double)
        /// `floor(voxels * share)`: the MedISeg survey's OHEM, with 0.7.
        case share(Double)
        /// Those whose label has a probability below `probability`, but at least so many.
        case uncertain(below: Double, atLeast: Int)
    }

    /// Which voxels count.
    public var selection: Selection
    /// Voxels with this label have no loss.
    public var ignoredLabel: Int32?

    /// The loss of the selected voxels.
    public init(_ selection: Selection, ignoredLabel: Int32? = nil) {
        (self.selection, self.ignoredLabel) = (selection, ignoredLabel)
    }

    /// `hard_cross_entropy`.
    public func terms(_ logits: Tensor, labels: LabelMap, progress: Double) -> [LossTerm] {
        let voxels = Double(labels.labels.count)
        let hard: HardVoxels =
            switch selection {
            case .percent(let percent): .count(Int(voxels * percent / 100))
            case .share(let share): .count(Int(voxels * share))
            case .uncertain(let probability, let least): .uncertain(below: probability, atLeast: least)
            }
        let value = hardestCrossEntropy(logits, labels: labels, hard, ignoring: ignoredLabel)
        return [LossTerm("hard_cross_entropy", weight: 1, value: value)]
    }
}
