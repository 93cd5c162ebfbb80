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
        counts = Self.count(prediction, reference, reference.indices, ignoredLabel)
    }

    /// ``init(prediction:reference:ignoredLabel:)`` in parallel.
    public init(prediction: [Int16], reference: [Int16], ignoredLabel: Int? = nil, on cpu: CPU) {
        check(
            prediction.count == reference.count,
            "\(prediction.count) predicted labels for \(reference.count) reference labels")
        let piece = 1 << 20
        var tables = [[Pair: Int]](repeating: [:], count: (reference.count + piece - 1) / piece)
        tables.withUnsafeMutableBufferPointer { tables in
            nonisolated(unsafe) let tables = tables
            cpu.forEach(tables.count) { index in
                let range = index * piece..<min(reference.count, (index + 1) * piece)
                tables[index] = Self.count(prediction, reference, range, ignoredLabel)
            }
        }
        counts = tables.reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) }
    }

    private static func count(
        _ prediction: [Int16], _ reference: [Int16], _ voxels: Range<Int>, _ ignoredLabel: Int?
    ) -> [Pair: Int] {
        var counts: [Pair: Int] = [:]
        prediction.withUnsafeBufferPointer { prediction in
            reference.withUnsafeBufferPointer { reference in
                // Neighbours mostly agree, so whole runs of one pair are counted at once.
                var start = voxels.lowerBound
                while start < voxels.upperBound {
                    let (predicted, referenced) = (prediction[start], reference[start])
                    var end = start + 1
                    while end < voxels.upperBound, reference[end] == referenced, prediction[end] == predicted {
                        end += 1
                    }
                    let pair = Pair(reference: Int(referenced), prediction: Int(predicted))
                    if pair.reference != ignoredLabel { counts[pair, default: 0] += end - start }
                    start = end
                }
            }
        }
        return counts
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
