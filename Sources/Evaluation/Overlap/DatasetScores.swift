/// The scores of one case.
public struct CaseScores: Sendable, Hashable {
    /// The case.
    public var name: String
    /// The file with the predicted labels.
    public var predictionFile: String
    /// The file with the reference labels.
    public var referenceFile: String
    /// One element for each structure of the evaluation, in its order.
    public var structures: [StructureScores]

    /// The scores of the case called `name`.
    public init(name: String, predictionFile: String, referenceFile: String, structures: [StructureScores]) {
        (self.name, self.predictionFile, self.referenceFile) = (name, predictionFile, referenceFile)
        self.structures = structures
    }
}

/// The scores of all cases, and their means: over cases for each structure, NaN left out, then over the foreground
/// structures.
public struct DatasetScores: Sendable, Hashable {
    /// What was evaluated.
    public var structures: [Structure]
    /// The cases, in order of their names.
    public var cases: [CaseScores]

    /// The scores of `cases`, each with one element for each of `structures`.
    public init(structures: [Structure], cases: [CaseScores]) {
        (self.structures, self.cases) = (structures, cases)
    }

    /// The scores of a structure in all cases.
    /// - Parameter structure: its position in ``structures``.
    public func scores(_ metric: OverlapMetric, ofStructure structure: Int) -> Scores {
        Scores(cases.map { $0.structures[structure][metric] })
    }

    /// The mean over the foreground structures of their means over cases.
    ///
    /// Differs from nnU-Net: a structure without any score is left out instead of turning the whole mean into NaN.
    public func foregroundMean(_ metric: OverlapMetric) -> Double {
        Scores(structures.indices.filter { !structures[$0].isBackground }.map { scores(metric, ofStructure: $0).mean })
            .mean
    }

    /// The mean over the foreground structures of one case's scores.
    public func foregroundMean(_ metric: OverlapMetric, ofCase index: Int) -> Double {
        Scores(
            structures.indices.filter { !structures[$0].isBackground }.map { cases[index].structures[$0][metric] }
        ).mean
    }
}
