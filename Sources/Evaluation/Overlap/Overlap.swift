/// What an overlap score is worth when prediction and reference are both empty.
public enum BothEmpty: String, Sendable, Hashable, Codable {
    /// NaN: the case says nothing about the structure, enters no mean, and is counted (nnU-Net's rule).
    case leftOut = "left out"
    /// 1, as some challenges have it: to find nothing where nothing is, is right.
    case perfect
}

/// The voxels of one structure in one case, by whether prediction and reference have it there, and the scores that
/// follow.
///
/// Scores are NaN where they say nothing:
///
/// | reference | prediction | Dice, IoU | precision | recall |
/// |-----------|------------|-----------|-----------|--------|
/// | empty     | empty      | NaN       | NaN       | NaN    |
/// | empty     | not empty  | 0         | 0         | NaN    |
/// | not empty | empty      | 0         | NaN       | 0      |
public struct Overlap: Sendable, Hashable {
    /// Voxels in both.
    public var truePositives: Int
    /// Voxels in the prediction only.
    public var falsePositives: Int
    /// Voxels in the reference only.
    public var falseNegatives: Int
    /// Voxels in neither.
    public var trueNegatives: Int

    /// The four counts.
    public init(
        truePositives: Int = 0, falsePositives: Int = 0, falseNegatives: Int = 0, trueNegatives: Int = 0
    ) {
        (self.truePositives, self.falsePositives) = (truePositives, falsePositives)
        (self.falseNegatives, self.trueNegatives) = (falseNegatives, trueNegatives)
    }

    /// Voxels of the prediction.
    public var predicted: Int { truePositives + falsePositives }
    /// Voxels of the reference.
    public var referenced: Int { truePositives + falseNegatives }

    /// `2·TP / (2·TP + FP + FN)`.
    public func dice(whenBothEmpty rule: BothEmpty = .leftOut) -> Double {
        ratio(2 * truePositives, 2 * truePositives + falsePositives + falseNegatives, whenBothEmpty: rule)
    }

    /// Intersection over union, `TP / (TP + FP + FN)`; equals `Dice / (2 − Dice)`.
    public func iou(whenBothEmpty rule: BothEmpty = .leftOut) -> Double {
        ratio(truePositives, truePositives + falsePositives + falseNegatives, whenBothEmpty: rule)
    }

    /// The share of the prediction that is right, `TP / (TP + FP)`.
    public func precision(whenBothEmpty rule: BothEmpty = .leftOut) -> Double {
        ratio(truePositives, predicted, whenBothEmpty: rule)
    }

    /// The share of the reference that was found, `TP / (TP + FN)`.
    public func recall(whenBothEmpty rule: BothEmpty = .leftOut) -> Double {
        ratio(truePositives, referenced, whenBothEmpty: rule)
    }

    /// How much too large the prediction is, `(FP − FN) / (TP + FN)`: −1 when nothing was found, 0 when the volume is
    /// right, wherever it lies. NaN for an empty reference.
    public var relativeVolumeError: Double {
        referenced == 0 ? .nan : Double(falsePositives - falseNegatives) / Double(referenced)
    }

    private func ratio(_ numerator: Int, _ denominator: Int, whenBothEmpty rule: BothEmpty) -> Double {
        if rule == .perfect, predicted + referenced == 0 { return 1 }
        return denominator == 0 ? .nan : Double(numerator) / Double(denominator)
    }
}
