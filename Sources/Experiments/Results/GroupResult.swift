import Evaluation

/// The scores of one initialization at one training-set size.
public struct GroupResult: Sendable, Codable {
    /// The initialization's name.
    public var initialization: String
    /// The training-set size.
    public var size: TrainingSize
    /// The number of training cases, the mean over runs where folds differ.
    public var trainingCases: Double
    /// Training runs: one per seed and fold.
    public var runs: Int
    /// Test cases with a score.
    public var cases: Int
    /// The mean Dice: over cases and runs for each class, then over classes.
    public var dice: Double
    /// The sample standard deviation of the runs' mean Dice; nil for a single run.
    public var standardDeviation: Double?
    /// The bootstrap interval of ``dice``.
    public var interval: Interval?
    /// The mean Dice of each class; nil where no case has one.
    public var diceOfClasses: [Double?]
    /// The sample standard deviation of the runs' mean Dice of each class; nil for a single run.
    public var standardDeviationOfClasses: [Double?]?
    /// Scores left out because neither reference nor prediction has the class.
    public var leftOut: Int
    /// Training steps, the mean over runs.
    public var steps: Double
    /// Seconds of training, prediction and evaluation, the mean over runs.
    public var seconds: Double

    /// The group of these finished cells; nil if no case has a score.
    init?(
        _ comparison: Comparison, initialization: String, size: TrainingSize, outcomes: [(CellKey, CellOutcome)],
        bootstrap: Bootstrap
    ) {
        let table = DiceTable(comparison, outcomes)
        guard table.count > 0 else { return nil }
        let runMeans = Scores(table.runs.indices.map(table.mean(ofRun:)))
        self.initialization = initialization
        self.size = size
        trainingCases =
            Scores(
                table.runs.map { Double(comparison.trainingCases(size: size, fold: $0.fold, seed: $0.seed).count) }
            ).mean
        runs = table.runs.count
        cases = table.cases.indices.count { !table.mean(ofCase: $0).isNaN }
        dice = table.mean()
        standardDeviation = runMeans.count > 1 ? runMeans.standardDeviation : nil
        // The weights that spread few runs can leave the range of a Dice.
        interval = bootstrap.interval(runs: table.runs.count, cases: table.cases.count, of: table.mean)
            .map { Interval(lower: max(0, $0.lower), upper: min(1, $0.upper)) }
        diceOfClasses = (0..<table.classes).map { index in
            let mean = table.mean(ofClass: index)
            return mean.isNaN ? nil : mean
        }
        standardDeviationOfClasses = (0..<table.classes).map { index in
            let means = Scores(table.runs.indices.map { table.mean(ofClass: index, run: $0) })
            return means.count > 1 ? means.standardDeviation : nil
        }
        leftOut = outcomes.reduce(0) { $0 + $1.1.cases.reduce(0) { $0 + $1.dice.count(where: \.isNaN) } }
        steps = Scores(outcomes.map { Double($0.1.steps) }).mean
        seconds = Scores(outcomes.map(\.1.seconds)).mean
    }
}
