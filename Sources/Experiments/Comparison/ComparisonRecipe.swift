import Finetuning
import Tensors
import Training

/// A comparison's settings: a fine-tuning recipe with a section `comparison`.
public struct ComparisonRecipe: Sendable {
    /// Numbers of training cases.
    public var sizes: [TrainingSize]
    /// One run per seed.
    public var seeds: [UInt64]
    /// Training and test cases.
    public var split: Split
    /// The fine-tuning recipe of all cells, resolved; each cell sets its own seed.
    public var finetuning: String

    /// Reads a recipe with its parents and overrides.
    /// - Throws: `RecipeError`, `FileError`.
    public static func load(_ path: String, overrides: [String] = []) throws -> ComparisonRecipe {
        try ComparisonRecipe(RecipeDocument.load(path, overrides: overrides))
    }

    /// Reads a document.
    /// - Throws: `RecipeError`.
    public init(_ document: RecipeDocument) throws {
        let (settings, resolved) = try document.resolve { section in
            let settings = try Self.settings(reading: section.section("comparison"))
            _ = try FinetuneRecipe(reading: section)
            return settings
        }
        (sizes, seeds, split) = settings
        finetuning = resolved.without("comparison").yaml
    }

    /// The fine-tuning recipe of a run with this seed.
    /// - Throws: `RecipeError`.
    static func finetuning(_ yaml: String, seed: UInt64) throws -> (FinetuneRecipe, ResolvedRecipe) {
        try RecipeDocument.parse(yaml, path: "the comparison's recipe", overrides: ["seed=\(seed)"])
            .resolve(FinetuneRecipe.init(reading:))
    }

    private static func settings(
        reading section: RecipeSection
    ) throws -> (sizes: [TrainingSize], seeds: [UInt64], split: Split) {
        // The sizes of the S3D study's Table 6.
        let counts = try section.integers("sizes", default: [10, 20, 30, 40], in: 1...1_000_000)
        let includesAll = try section.bool("all_cases", default: false)
        let seeds = try section.integers("seeds", default: [0, 1, 2], in: 0...1_000_000_000)
        let name = try section.string("split", default: Split.everyFifthHeldOut.description)
        guard let split = Split(name) else {
            throw section.error(at: "split", "expected every-fifth-held-out or for example 5-fold, found \(name)")
        }
        return (counts.map(TrainingSize.cases) + (includesAll ? [.full] : []), seeds.map(UInt64.init), split)
    }
}
