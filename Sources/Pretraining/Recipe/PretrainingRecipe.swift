import Tensors
import Training

/// Everything that is decided about a pre-training.
public struct PretrainingRecipe: Sendable {
    /// What is learned from the images.
    public var method: any PretextMethod
    /// The network and what it is shown.
    public var setup: PretrainingSetup
    /// Where images come from.
    public var data: PretrainingDataRecipe
    /// Optimizer, learning rates, log and checkpoints.
    public var training: TrainingRecipe

    /// Reads a whole recipe.
    /// - Throws: `RecipeError`.
    public init(reading section: RecipeSection) throws {
        let kind = PretextMethods.method(named: try section.choice("method", among: PretextMethods.names))
        data = try PretrainingDataRecipe(reading: section.section("data"))
        setup = try PretrainingSetup(reading: section, defaults: kind.defaults)
        method = try kind.init(reading: section, for: setup)
        var usual = Self.trainingDefaults
        usual.clipNorm = kind.defaults.clipNorm
        training = try TrainingRecipe(reading: section, defaults: usual)
        setup.recomputes = training.recomputes
    }

    /// Reads a recipe with its parents and overrides.
    ///
    /// - Parameter sources: folders of images; given ones replace those of the recipe.
    /// - Returns: the recipe, and all its values, defaults included.
    /// - Throws: `RecipeError`, `FileError`.
    public static func load(
        _ path: String, sources: [String] = [], overrides: [String] = []
    ) throws -> (PretrainingRecipe, ResolvedRecipe) {
        let list = sources.map { "'\($0.replacing("'", with: "''"))'" }.joined(separator: ", ")
        let given = sources.isEmpty ? [] : ["data.sources=[\(list)]"]
        return try RecipeDocument.load(path, overrides: overrides + given).resolve(PretrainingRecipe.init(reading:))
    }

    /// SGD with Nesterov's momentum 0.99 and decay 3e-5, 1000 epochs of 250 steps falling from 1e-2, gradients of norm 12
    /// at most.
    private static let trainingDefaults = TrainingRecipe(
        schedule: Schedule([.init(steps: 250_000, shape: .poly(exponent: 0.9), peak: 1e-2)], stepsPerUpdate: 250),
        validationInterval: 2_500)
}
