import Tensors

/// How often each pair of a reference label and a predicted label occurs in one case.
///
/// One pass over the voxels; the overlap of every class and region follows from the table.
public struct ConfusionTable: Sendable, Hashable {
    /// What the reference says of a voxel, and what the prediction says.
    public struct Pair: Sendable, Hashable {
        /// The reference's label.
        public var reference: Int
        /// The prediction's label.
        public var prediction: Int
    }

    /// The number of voxels of each pair that occurs.
    public let counts: [Pair: Int]

    /// Counts the voxels of two label maps of one grid.
    /// - Parameter ignoredLabel: voxels with this label in the reference are not counted.
    /// - Precondition: as many predicted labels as reference labels.
    public init(prediction: [Int16], reference: [Int16], ignoredLabel: Int? = nil) {
        check(
            prediction.count == reference.count,
            "\(prediction.count) predicted labels for \(reference.count) reference labels")
        var counts: [Pair: Int] = [:]
        // Neighbours mostly agree, so whole runs of one pair are counted at once.
        var runStart = 0
        for end in 1...max(1, reference.count) where runStart < reference.count {
            if end < reference.count, reference[end] == reference[runStart], prediction[end] == prediction[runStart] {
                continue
            }
            let pair = Pair(reference: Int(reference[runStart]), prediction: Int(prediction[runStart]))
            if pair.reference != ignoredLabel { counts[pair, default: 0] += end - runStart }
            runStart = end
        }
        self.counts = counts
    }

    /// The labels that occur in the reference.
    public var referenceLabels: Set<Int> { Set(counts.keys.map(\.reference)) }

    /// The labels that occur in the prediction.
    public var predictedLabels: Set<Int> { Set(counts.keys.map(\.prediction)) }

    /// The overlap of `structure` in the two label maps.
    public func overlap(of structure: Structure) -> Overlap {
        var overlap = Overlap()
        for (pair, count) in counts {
            switch (structure.labels.contains(pair.prediction), structure.labels.contains(pair.reference)) {
            case (true, true): overlap.truePositives += count
            case (true, false): overlap.falsePositives += count
            case (false, true): overlap.falseNegatives += count
            case (false, false): overlap.trueNegatives += count
            }
        }
        return overlap
    }
}
