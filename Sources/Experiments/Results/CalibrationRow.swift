import Evaluation

/// How well the networks of one initialization at one training-set size know where they are wrong.
public struct CalibrationRow: Sendable, Codable {
    /// The initialization.
    public var initialization: String
    /// The training-set size.
    public var size: TrainingSize
    /// Training runs.
    public var runs: Int
    /// The expected calibration error: means over cases for each run, then over runs. Errors of single cases do not make up
    /// for each other, as those of all voxels together would (Jungo et al. 2020).
    public var expectedCalibrationError: Spread
    /// The Dice of uncertain and wrong voxels, averaged likewise.
    public var uncertaintyErrorOverlap: Spread
    /// The reliability curve of the voxels of all cases and runs.
    public var curve: [Reliability.Point]

    /// The row of these finished cells; nil if nothing is known of their probabilities.
    init?(initialization: String, size: TrainingSize, outcomes: [(CellKey, CellOutcome)]) {
        let runs = outcomes.sorted { Run($0.0) < Run($1.0) }.map { $0.1.cases.compactMap(\.confidence) }
            .filter { !$0.isEmpty }
        guard !runs.isEmpty else { return nil }
        (self.initialization, self.size, self.runs) = (initialization, size, runs.count)
        func spread(_ value: (ConfidenceProfile) -> Double) -> Spread {
            Spread(runs.map { Scores($0.map(value)).mean })
        }
        expectedCalibrationError = spread(\.expectedCalibrationError)
        uncertaintyErrorOverlap = spread(\.uncertaintyErrorOverlap)
        curve = runs.joined().reduce(Reliability()) { $0 + $1.reliability }.curve
    }
}
