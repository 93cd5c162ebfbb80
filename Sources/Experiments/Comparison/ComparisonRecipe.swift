import Finetuning
import Tensors
import Training

/// A comparison's settings: a fine-tuning recipe with a section `comparison`.
public struct ComparisonRecipe: Sendable {
    /// Numbers of training cases.
    public var sizes: [TrainingSize]
    /// Whether whole images are classified.
    public var classifies: Bool
    /// One run per seed.
    public var seeds: [UInt64]
    /// Training and test cases.
    public var split: Split
    /// The fine-tuning recipe of all cells, resolved; each cell sets its own seed.
    public var finetuning: String
    /// Variants of the recipe that are compared in place of initializations, the baseline first; may be empty.
    public var variants: [Variant]

    /// A row of the comparison: the recipe with a few changes.
    public struct Variant: Sendable, Hashable {
        /// The name in tables.
        public var name: String
        /// The name of the weights to start from; nil for random ones.
        public var start: String?
        /// The recipe, resolved.
        public var finetuning: String
    }

    /// Reads a recipe with its parents and overrides.
    /// - Throws: `RecipeError`, `FileError`.
    public static func load(_ path: String, overrides: [String] = []) throws -> ComparisonRecipe {
        try ComparisonRecipe(RecipeDocument.load(path, overrides: overrides))
    }

    /// Reads a document.
    /// - Throws: `RecipeError`.
    public init(_ document: RecipeDocument) throws {
        let ((settings, usual), resolved) = try document.resolve { section in
            (try Self.settings(reading: section.section("comparison")), try FinetuneRecipe(reading: section))
        }
        classifies = usual.classifies
        (sizes, seeds, split) = (settings.sizes, settings.seeds, settings.split)
        finetuning = resolved.without("comparison").yaml
        variants = try settings.changes.map { change in
            let varied = try document.varied(by: change.recipe, overrides: change.settings, ignoring: "comparison")
            return Variant(
                name: change.name, start: change.start,
                finetuning: try varied.resolve(FinetuneRecipe.init(reading:)).1.yaml)
        }
    }

    /// What is compared: the variants, or else scratch and all weights.
    /// - Parameter given: weights by name.
    /// - Throws: ``ComparisonError/unknownWeights(variant:name:)``.
    public func initializations(_ given: [Initialization]) throws -> [Initialization] {
        guard !variants.isEmpty else { return [.scratch] + given }
        return try variants.map { variant in
            guard let start = variant.start else {
                return Initialization(name: variant.name, recipe: variant.finetuning)
            }
            guard let weights = given.first(where: { $0.name == start }) else {
                throw ComparisonError.unknownWeights(variant: variant.name, name: start)
            }
            return Initialization(
                name: variant.name, weights: weights.weights, digest: weights.digest, recipe: variant.finetuning)
        }
    }

    /// What the section says of a variant.
    private struct Change {
        var name: String
        var recipe, start: String?
        var settings: [String]
    }

    private struct Settings {
        var sizes: [TrainingSize]
        var seeds: [UInt64]
        var split: Split
        var changes: [Change]
    }

    /// The fine-tuning recipe of a run with this seed.
    /// - Throws: `RecipeError`.
    static func finetuning(_ yaml: String, seed: UInt64) throws -> (FinetuneRecipe, ResolvedRecipe) {
        try RecipeDocument.parse(yaml, path: "the comparison's recipe", overrides: ["seed=\(seed)"])
            .resolve(FinetuneRecipe.init(reading:))
    }

    private static func settings(reading section: RecipeSection) throws -> Settings {
        // The sizes of the S3D study's Table 6.
        let counts = try section.integers("sizes", default: [10, 20, 30, 40], in: 1...1_000_000)
        let includesAll = try section.bool("all_cases", default: false)
        let seeds = try section.integers("seeds", default: [0, 1, 2], in: 0...1_000_000_000)
        let name = try section.string("split", default: Split.everyFifthHeldOut.description)
        guard let split = Split(name) else {
            throw section.error(
                at: "split", "expected every-fifth-held-out, stored or for example 5-fold, found \(name)")
        }
        let changes = try section.sections("variants", defaultCount: 0).map { part in
            Change(
                name: try part.string("name"), recipe: try part.optionalString("recipe"),
                start: try part.optionalString("init"), settings: try part.strings("set", default: []))
        }
        return Settings(
            sizes: counts.map(TrainingSize.cases) + (includesAll ? [.full] : []), seeds: seeds.map(UInt64.init),
            split: split, changes: changes)
    }
}
