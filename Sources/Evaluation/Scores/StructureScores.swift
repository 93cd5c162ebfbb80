/// Everything measured about one structure in one case.
public struct StructureScores: Sendable, Hashable {
    /// The voxel counts.
    public var overlap: Overlap
    /// The size of a voxel in cubic millimetres.
    public var voxelVolumeMM3: Double
    /// What overlap scores are worth when both masks are empty.
    public var bothEmpty: BothEmpty
    /// The surface metrics that were computed and are a number.
    public private(set) var surface: [SurfaceMetric: Double]

    /// Scores of counted voxels, and of surfaces where they were measured.
    public init(
        overlap: Overlap, voxelVolumeMM3: Double, bothEmpty: BothEmpty = .leftOut,
        surface: [SurfaceMetric: Double] = [:]
    ) {
        (self.overlap, self.voxelVolumeMM3, self.bothEmpty) = (overlap, voxelVolumeMM3, bothEmpty)
        self.surface = surface.filter { !$0.value.isNaN }
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

    /// The value of `metric`; NaN where it says nothing or was not computed.
    public subscript(metric: Metric) -> Double {
        switch metric {
        case .overlap(let metric): self[metric]
        case .surface(let metric): surface[metric] ?? .nan
        }
    }
}
