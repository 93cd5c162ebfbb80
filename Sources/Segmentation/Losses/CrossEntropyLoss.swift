import Foundation
import Tensors

/// Cross-entropy, with or without a weight for each class: the MedISeg survey's baseline and its `CBL-WCE`.
public struct CrossEntropyLoss: SegmentationLoss, Hashable {
    /// The weight of each class, `[C]`; nil for equal ones. Only their ratios matter.
    public var classWeights: [Float]?
    /// Voxels with this label count nowhere.
    public var ignoredLabel: Int32?

    /// A cross-entropy.
    public init(classWeights: [Float]? = nil, ignoredLabel: Int32? = nil) {
        (self.classWeights, self.ignoredLabel) = (classWeights, ignoredLabel)
    }

    /// Unless classes have weights, or samples differ in how many voxels count.
    public var isMeanOverSamples: Bool { classWeights == nil && ignoredLabel == nil }

    /// `cross_entropy`.
    public func terms(_ logits: Tensor, labels: LabelMap, progress: Double) -> [LossTerm] {
        let value = crossEntropy(logits, labels: labels, classWeights: classWeights, ignoring: ignoredLabel)
        return [LossTerm("cross_entropy", weight: 1, value: value)]
    }

    /// Class weights `(1 - beta) / (1 - beta^n)`, scaled to a mean of 1: rare classes count more, but not beyond what
    /// more examples of a class still tell (Cui et al. 2019, "Class-balanced loss based on effective number of
    /// samples"). A class that never occurs gets the weight of one that occurs once.
    /// - Parameters:
    ///   - counts: the examples `n` of each class.
    ///   - beta: in `0..<1`; 0 weighs all alike, near 1 by `1/n`.
    public static func effectiveNumberWeights(counts: [Int], beta: Double) -> [Float] {
        let raw = counts.map { count in
            // 1 - beta^n without cancellation.
            beta > 0 ? (1 - beta) / -expm1(Double(max(1, count)) * log(beta)) : 1
        }
        let mean = raw.reduce(0, +) / Double(max(1, raw.count))
        return raw.map { Float($0 / mean) }
    }
}
