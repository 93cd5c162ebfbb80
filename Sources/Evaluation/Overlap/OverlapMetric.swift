/// The numbers that are reported of one structure in one case. The raw value is the key in `summary.json`: nnU-Net's,
/// where nnU-Net has the metric.
public enum OverlapMetric: String, CaseIterable, Sendable, Hashable {
    /// `2·TP / (2·TP + FP + FN)`.
    case dice = "Dice"
    /// Intersection over union.
    case iou = "IoU"
    /// The share of the prediction that is right.
    case precision = "Precision"
    /// The share of the reference that was found.
    case recall = "Recall"
    /// Voxels in both.
    case truePositives = "TP"
    /// Voxels in the prediction only.
    case falsePositives = "FP"
    /// Voxels in the reference only.
    case falseNegatives = "FN"
    /// Voxels in neither.
    case trueNegatives = "TN"
    /// Voxels of the prediction.
    case predicted = "n_pred"
    /// Voxels of the reference.
    case referenced = "n_ref"
    /// The prediction's volume in cubic millimetres.
    case predictedVolumeMM3 = "volume_pred_mm3"
    /// The reference's volume in cubic millimetres.
    case referenceVolumeMM3 = "volume_ref_mm3"
    /// How much too large the prediction is, as a share of the reference.
    case relativeVolumeError = "relative_volume_error"

    /// Whether the metric is a whole number in one case.
    var isCount: Bool {
        switch self {
        case .truePositives, .falsePositives, .falseNegatives, .trueNegatives, .predicted, .referenced: true
        default: false
        }
    }
}
