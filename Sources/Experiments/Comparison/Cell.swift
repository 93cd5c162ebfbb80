import Evaluation

/// One training run of a comparison.
public struct CellKey: Sendable, Hashable, Codable, CustomStringConvertible {
    /// The initialization's name.
    public var initialization: String
    /// The training-set size.
    public var size: TrainingSize
    /// The fold of the split.
    public var fold: Int
    /// The seed of the training run.
    public var seed: UInt64

    /// The run of one initialization, size, fold and seed.
    public init(initialization: String, size: TrainingSize, fold: Int, seed: UInt64) {
        (self.initialization, self.size, self.fold, self.seed) = (initialization, size, fold, seed)
    }

    /// The name of the cell's folder, for example `n10-fold0-seed1-S3D`.
    public var id: String {
        "n\(size)-fold\(fold)-seed\(seed)-\(initialization.replacing(" ", with: "_"))"
    }

    /// For example `S3D, 10 cases, fold 0, seed 1`.
    public var description: String { "\(initialization), \(size) cases, fold \(fold), seed \(seed)" }
}

/// Everything that decides the outcome of one training run. A finished result is used again only for an equal cell.
public struct Cell: Sendable, Hashable, Codable {
    /// Which run it is.
    public var key: CellKey
    /// Where the weights come from.
    public var initialization: Initialization
    /// The labeled cases to train on.
    public var trainingCases: [String]
    /// The cases to predict and score.
    public var testCases: [String]
    /// The foreground classes, in the order of the scores.
    public var classNames: [String]
    /// The resolved fine-tuning recipe.
    public var recipe: String
    /// What computes: precision and kernels.
    public var arithmetic: String
    /// What identifies the content of the dataset's files; nil if it was not looked at.
    public var dataDigest: String?

    /// The first setting in which two cells differ, in words; nil if both give the same result. Names do not matter, nor where
    /// weights lie whose content is known.
    func difference(from other: Cell) -> String? {
        let (weights, others) = (initialization, other.initialization)
        // Where the content is not known, the path has to do.
        if weights.digest != others.digest || weights.digest == nil && weights.weights != others.weights {
            return "initialization"
        }
        // Earlier versions did not look at these files, nor is there anything to look at when they are gone.
        if let models = weights.models, let theirs = others.models, models != theirs {
            return "content of a teacher or of the run that finds regions"
        }
        if trainingCases != other.trainingCases { return "list of training cases" }
        if testCases != other.testCases { return "list of test cases" }
        if classNames != other.classNames { return "list of classes" }
        if recipe != other.recipe { return "fine-tuning recipe" }
        if arithmetic != other.arithmetic { return "precision or processor" }
        // Earlier versions did not look at the files.
        if let dataDigest, let there = other.dataDigest, dataDigest != there { return "content of the dataset" }
        return key.seed == other.key.seed ? nil : "seed"
    }
}

/// The Dice of each foreground class in one test case; NaN where a class is missing from reference and prediction.
public struct CaseDice: Sendable, Hashable {
    /// The case.
    public var name: String
    /// In the order of the comparison's classes.
    public var dice: [Double]
    /// How well the network knew where it was wrong; nil where probabilities were not looked at.
    public var confidence: ConfidenceProfile?

    /// The scores of the case called `name`.
    public init(name: String, dice: [Double], confidence: ConfidenceProfile? = nil) {
        (self.name, self.dice, self.confidence) = (name, dice, confidence)
    }

    /// The scores that an evaluation gave.
    init(_ scores: CaseScores) {
        self.init(name: scores.name, dice: scores.structures.map { $0[.dice] }, confidence: scores.confidence)
    }
}

extension CaseDice: Codable {
    private enum CodingKeys: CodingKey {
        case name, dice, confidence
    }

    /// Reads a name and scores; `null` is NaN.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        name = try container.decode(String.self, forKey: .name)
        dice = try container.decode([Double?].self, forKey: .dice).map { $0 ?? .nan }
        confidence = try container.decodeIfPresent(ConfidenceProfile.self, forKey: .confidence)
    }

    /// Writes the name and the scores, NaN as `null`.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try container.encode(dice.map { $0.isNaN ? nil : $0 }, forKey: .dice)
        try container.encodeIfPresent(confidence, forKey: .confidence)
    }
}

/// What a finished training run gave, or the test of its network on another dataset.
public struct CellOutcome: Sendable, Hashable, Codable {
    /// The scores of the test cases.
    public var cases: [CaseDice]
    /// The training steps that were taken.
    public var steps: Int
    /// How long training, prediction and evaluation took, interruptions left out.
    public var seconds: Double

    /// The outcome of a run.
    public init(cases: [CaseDice], steps: Int, seconds: Double) {
        (self.cases, self.steps, self.seconds) = (cases, steps, seconds)
    }
}

/// Trains, predicts and evaluates the cells of a comparison.
public protocol CellRunner {
    /// Runs one cell in its own folder, which may hold what an interrupted attempt left; a runner that can, goes on
    /// from there.
    /// - Returns: the scores of all test cases of the cell.
    func run(_ cell: Cell, in folder: String) throws -> CellOutcome
    /// Tests the network that ``run(_:in:)`` left in the cell's folder on another dataset, without training it there.
    /// - Returns: the scores of all cases of the target.
    func test(_ cell: Cell, on target: TransferTarget, in folder: String) throws -> CellOutcome
    /// Called when the outcome of the cell in `folder` is on the disk, perhaps again after a restart: what was kept to go on
    /// from is not needed any more.
    func cleanUp(_ folder: String)
}

extension CellRunner {
    /// Removes nothing.
    public func cleanUp(_ folder: String) {}
}
