/// The scores of one case.
public struct CaseScores: Sendable, Hashable {
    /// The case.
    public var name: String
    /// The file with the predicted labels.
    public var predictionFile: String
    /// The file with the reference labels.
    public var referenceFile: String
    /// The length of the image's diagonal: what an infinite distance counts as in means.
    public var diagonalMM: Double
    /// One element for each structure of the evaluation, in its order.
    public var structures: [StructureScores]
    /// How well the network knew where it was wrong; nil where only its labels are known.
    public var confidence: ConfidenceProfile?

    /// The scores of the case called `name`.
    public init(
        name: String, predictionFile: String, referenceFile: String, diagonalMM: Double = .infinity,
        structures: [StructureScores], confidence: ConfidenceProfile? = nil
    ) {
        (self.name, self.predictionFile, self.referenceFile) = (name, predictionFile, referenceFile)
        (self.diagonalMM, self.structures, self.confidence) = (diagonalMM, structures, confidence)
    }
}

/// The scores of all cases, and their means: over cases for each structure, NaN left out, then over the foreground
/// structures.
///
/// A structure that is missing from the prediction, or from the reference only, is infinitely far away. So that a miss
/// counts as the worst that can happen and still leaves a mean, it enters means as the image's diagonal.
public struct DatasetScores: Sendable, Hashable {
    /// What was evaluated: classes, then regions made of them.
    public var structures: [Structure]
    /// How many of ``structures``, the last ones, are regions that were added to the classes; they enter no foreground
    /// mean, since their voxels are in it already.
    public var regions: Int
    /// The surface metrics that were computed.
    public var surface: SurfaceSelection
    /// The cases, in order of their names.
    public var cases: [CaseScores]

    /// The scores of `cases`, each with one element for each of `structures`.
    public init(
        structures: [Structure], regions: Int = 0, surface: SurfaceSelection = .none, cases: [CaseScores]
    ) {
        (self.structures, self.regions, self.surface, self.cases) = (structures, regions, surface, cases)
    }

    /// The positions of the structures that enter foreground means.
    private var foreground: [Int] {
        structures.indices.dropLast(regions).filter { !structures[$0].isBackground }
    }

    /// Every metric that was computed.
    public var metrics: [Metric] {
        OverlapMetric.allCases.map(Metric.overlap) + surface.metrics.map(Metric.surface)
    }

    /// The scores of a structure in all cases, infinite distances as the image's diagonal.
    /// - Parameter structure: its position in ``structures``.
    public func scores(_ metric: Metric, ofStructure structure: Int) -> Scores {
        Scores(
            cases.map { item in
                let score = item.structures[structure][metric]
                return score == .infinity && metric.isDistance ? item.diagonalMM : score
            })
    }

    /// The scores of a structure in all cases.
    /// - Parameter structure: its position in ``structures``.
    public func scores(_ metric: OverlapMetric, ofStructure structure: Int) -> Scores {
        scores(.overlap(metric), ofStructure: structure)
    }

    /// The expected calibration errors of the cases whose probabilities are known.
    public var calibrationErrors: Scores { Scores(cases.compactMap(\.confidence?.expectedCalibrationError)) }

    /// The overlaps of uncertain and wrong voxels of the cases whose probabilities are known.
    public var uncertaintyErrorOverlaps: Scores { Scores(cases.compactMap(\.confidence?.uncertaintyErrorOverlap)) }

    /// The number of cases in which a structure is missing from the prediction or from the reference, not from both.
    /// - Parameter structure: its position in ``structures``.
    public func missed(structure: Int) -> Int {
        cases.count {
            let overlap = $0.structures[structure].overlap
            return (overlap.predicted == 0) != (overlap.referenced == 0)
        }
    }

    /// The mean over the foreground structures of their means over cases.
    ///
    /// Differs from nnU-Net: a structure without any score is left out instead of turning the whole mean into NaN.
    public func foregroundMean(_ metric: Metric) -> Double {
        Scores(foreground.map { scores(metric, ofStructure: $0).mean }).mean
    }

    /// The mean over the foreground structures of their means over cases.
    public func foregroundMean(_ metric: OverlapMetric) -> Double { foregroundMean(.overlap(metric)) }

    /// The mean over the foreground structures of one case's scores.
    public func foregroundMean(_ metric: OverlapMetric, ofCase index: Int) -> Double {
        Scores(foreground.map { cases[index].structures[$0][metric] }).mean
    }
}
