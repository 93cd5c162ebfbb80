/// Any number that is reported of one structure in one case.
public enum Metric: Sendable, Hashable {
    /// From counted voxels.
    case overlap(OverlapMetric)
    /// From the distances of surfaces.
    case surface(SurfaceMetric)

    /// The key in `summary.json`: nnU-Net's, where nnU-Net has the metric.
    public var summaryKey: String {
        switch self {
        case .overlap(let metric): metric.rawValue
        case .surface(let metric): metric.summaryKey
        }
    }

    /// Whether a missing structure is infinitely far away, so that means need a rule (``DatasetScores``).
    public var isDistance: Bool {
        switch self {
        case .overlap: false
        case .surface(let metric): metric.isDistance
        }
    }
}
