/// Everything measured about one structure in one case. Metrics of surfaces belong here beside the overlap.
public struct StructureScores: Sendable, Hashable {
    /// The voxel counts.
    public var overlap: Overlap
    /// The size of a voxel in cubic millimetres.
    public var voxelVolumeMM3: Double
    /// What overlap scores are worth when both masks are empty.
    public var bothEmpty: BothEmpty

    /// Scores of counted voxels.
    public init(overlap: Overlap, voxelVolumeMM3: Double, bothEmpty: BothEmpty = .leftOut) {
        (self.overlap, self.voxelVolumeMM3, self.bothEmpty) = (overlap, voxelVolumeMM3, bothEmpty)
    }

    /// The value of `metric`; NaN where it says nothing.
    public subscript(metric: OverlapMetric) -> Double {
        switch metric {
        case .dice: overlap.dice(whenBothEmpty: bothEmpty)
        case .iou: overlap.iou(whenBothEmpty: bothEmpty)
        case .precision: overlap.precision(whenBothEmpty: bothEmpty)
        case .recall: overlap.recall(whenBothEmpty: bothEmpty)
        case .truePositives: Double(overlap.truePositives)
        case .falsePositives: Double(overlap.falsePositives)
        case .falseNegatives: Double(overlap.falseNegatives)
        case .trueNegatives: Double(overlap.trueNegatives)
        case .predicted: Double(overlap.predicted)
        case .referenced: Double(overlap.referenced)
        case .predictedVolumeMM3: Double(overlap.predicted) * voxelVolumeMM3
        case .referenceVolumeMM3: Double(overlap.referenced) * voxelVolumeMM3
        case .relativeVolumeError: overlap.relativeVolumeError
        }
    }
}
