/// Where a network's weights come from before it is fine-tuned.
public struct Initialization: Sendable, Hashable, Codable {
    /// The name in tables, for example `scratch` or `S3D`.
    public var name: String
    /// The file of pre-trained weights; nil for random ones.
    public var weights: String?
    /// What identifies the content of the file, such as a digest: results of other weights are never mixed in.
    public var digest: String?
    /// What identifies the networks that teach the training or find its regions; nil without any, and where they are gone.
    public var models: String?
    /// The resolved fine-tuning recipe where it is not that of the comparison: a variant of the training.
    public var recipe: String?

    /// A start from the file `weights`, or from random weights.
    public init(
        name: String, weights: String? = nil, digest: String? = nil, models: String? = nil, recipe: String? = nil
    ) {
        (self.name, self.weights, self.digest) = (name, weights, digest)
        (self.models, self.recipe) = (models, recipe)
    }

    /// The same without a recipe of its own.
    var start: Initialization { Initialization(name: name, weights: weights, digest: digest, models: models) }

    /// Writes the name, the digest, and of an absolute path of the weights the last two names only: comparisons are shown to
    /// others. Without a digest the path is all that identifies the weights, and stays.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        try container.encodeIfPresent(digest == nil ? weights : shownWeights, forKey: .weights)
        try container.encodeIfPresent(digest, forKey: .digest)
        try container.encodeIfPresent(models, forKey: .models)
        try container.encodeIfPresent(recipe, forKey: .recipe)
    }

    private enum CodingKeys: CodingKey {
        case name, weights, digest, models, recipe
    }

    /// Where the weights lie, as others may see it.
    var shownWeights: String? {
        weights.map { $0.hasPrefix("/") ? $0.split(separator: "/").suffix(2).joined(separator: "/") : $0 }
    }

    /// Random weights.
    public static let scratch = Initialization(name: "scratch")
}

/// A low-data comparison: every initialization is fine-tuned on the same training cases, for every training-set size,
/// fold and seed, and tested on the same test cases.
///
/// Training sets are nested: each (fold, seed) permutes its training cases once, and size n takes the first n. All
/// initializations share the permutation, so that scores can be compared case by case.
public struct Comparison: Sendable, Hashable, Codable {
    /// The dataset's name.
    public let dataset: String
    /// The dataset's cases, sorted.
    public let caseNames: [String]
    /// The foreground classes, or those of whole images, in the order of the scores.
    public let classNames: [String]
    /// What the scores are, where they are no Dice.
    public let metric: String?
    /// What is compared; the first is the baseline.
    public let initializations: [Initialization]
    /// The training-set sizes, ascending.
    public let sizes: [TrainingSize]
    /// Training and test cases.
    public let split: Split
    /// One training run per seed; it decides the training subset, the random weights and everything drawn in training.
    public let seeds: [UInt64]
    /// The resolved fine-tuning recipe of all cells whose initialization has none of its own.
    public let recipe: String
    /// What computes, precision and kernels: results of another arithmetic are never mixed in.
    public let arithmetic: String
    /// What identifies the content of the dataset's files; nil if it was not looked at.
    public let dataDigest: String?
    /// Other datasets on which every network is tested, too.
    public let transfer: [TransferTarget]

    /// A comparison that can be run. Sizes that reach the number of training cases become ``TrainingSize/full``, and
    /// each size is compared once.
    /// - Parameter initializations: the baseline first.
    /// - Throws: ``ComparisonError`` if there is nothing to compare or not enough cases.
    public init(
        dataset: String, caseNames: [String], classNames: [String], metric: String? = nil,
        initializations: [Initialization],
        sizes: [TrainingSize], split: Split, seeds: [UInt64], recipe: String = "", arithmetic: String = "",
        dataDigest: String? = nil, transfer: [TransferTarget] = []
    ) throws {
        try Self.require(!initializations.isEmpty, .nothing("initializations"))
        try Self.require(!sizes.isEmpty, .nothing("training-set sizes"))
        try Self.require(!seeds.isEmpty, .nothing("seeds"))
        try Self.require(!classNames.isEmpty, .nothing("classes"))
        for (names, what) in [
            (initializations.map(\.name), "initialization"), (seeds.map(String.init), "seed"), (caseNames, "case"),
            (transfer.map(\.folderName), "other dataset"),
        ] {
            if let name = Self.firstRepeated(names) { throw ComparisonError.repeated(what, name) }
        }
        for name in initializations.map(\.name) + transfer.map(\.name) {
            try Self.require(
                !name.isEmpty && name.allSatisfy { $0.isLetter || $0.isNumber || "-+._ ".contains($0) }
                    && name.first != ".", .unusableName(name))
        }
        for target in transfer { try Self.require(!target.cases.isEmpty, .nothing("labeled cases of \(target.name)")) }
        for case .cases(let count) in sizes { try Self.require(count > 0, .sizeOutOfRange(count)) }
        if case .heldOut(let test) = split, let name = test.first(where: { !caseNames.contains($0) }) {
            throw ComparisonError.unknownCase(name)
        }
        let folds = split.divide(caseNames)
        guard let largest = folds.map(\.training.count).max(),
            folds.allSatisfy({ !$0.training.isEmpty && !$0.test.isEmpty })
        else { throw ComparisonError.tooFewCases(caseNames.count, split) }

        let clamped = sizes.map { size in
            if case .cases(let count) = size, count < largest { size } else { TrainingSize.full }
        }
        (self.dataset, self.caseNames, self.classNames) = (dataset, caseNames.sorted(), classNames)
        self.metric = metric
        (self.initializations, self.split, self.seeds, self.recipe) = (initializations, split, seeds, recipe)
        (self.arithmetic, self.dataDigest, self.transfer) = (arithmetic, dataDigest, transfer)
        self.sizes = Set(clamped).sorted()
    }

    /// The initialization that the others are compared with.
    public var baseline: Initialization { initializations[0] }

    /// What the scores are called.
    public var scoreName: String { metric ?? "Dice" }

    /// Whether rows differ in how they train, not only in where they start.
    public var hasVariants: Bool { initializations.contains { $0.recipe != nil } }

    /// The folds of the split.
    public var folds: [Split.Fold] { split.divide(caseNames) }

    /// The training cases of a size, fold and seed, the same for every initialization.
    public func trainingCases(size: TrainingSize, fold: Int, seed: UInt64) -> [String] {
        folds[fold].trainingSubset(size, index: fold, seed: seed)
    }

    /// Every cell in the order in which they run: all initializations of one size, fold and seed follow each other, so
    /// that an unfinished comparison already has pairs to compare.
    public var cells: [Cell] {
        let folds = folds
        return seeds.flatMap { seed in
            sizes.flatMap { size in
                folds.indices.flatMap { fold in
                    let training = trainingCases(size: size, fold: fold, seed: seed)
                    return initializations.map { initialization in
                        Cell(
                            key: CellKey(initialization: initialization.name, size: size, fold: fold, seed: seed),
                            initialization: initialization.start, trainingCases: training,
                            testCases: folds[fold].test, classNames: classNames,
                            recipe: initialization.recipe ?? recipe, arithmetic: arithmetic, dataDigest: dataDigest)
                    }
                }
            }
        }
    }

    private static func require(_ condition: Bool, _ error: ComparisonError) throws {
        if !condition { throw error }
    }

    private static func firstRepeated(_ names: [String]) -> String? {
        var seen: Set<String> = []
        return names.first { !seen.insert($0).inserted }
    }
}
