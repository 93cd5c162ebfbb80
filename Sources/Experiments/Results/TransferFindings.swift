import Evaluation

/// What a comparison found on another dataset, on which no network was trained: the same statistics as on its own test
/// cases.
public struct TransferFindings: Sendable, Codable {
    /// The other dataset.
    public var target: TransferTarget
    /// The number of networks that were tested.
    public var finishedCells: Int
    /// Scores by initialization, then size.
    public var groups: [GroupResult]
    /// Differences to the baseline by initialization, then size.
    public var differences: [PairedResult]
    /// Differences to the baseline over all sizes, by initialization.
    public var overall: [PairedResult]
    /// One verdict for each initialization but the baseline.
    public var verdicts: [Verdict]
    /// How well the networks know where they are wrong, by initialization, then size.
    public var calibration: [CalibrationRow]

    /// The findings of the networks that were tested.
    init(
        _ comparison: Comparison, target: TransferTarget, outcomes: [CellKey: CellOutcome], bootstrap: Bootstrap
    ) {
        let findings = Findings(comparison, outcomes: outcomes, bootstrap: bootstrap, place: target.name)
        (self.target, finishedCells) = (target, outcomes.count)
        (groups, differences, overall) = (findings.groups, findings.differences, findings.overall)
        (verdicts, calibration) = (findings.verdicts, findings.calibration)
    }
}
