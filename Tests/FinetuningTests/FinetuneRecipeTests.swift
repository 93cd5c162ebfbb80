import Augmentation
import Finetuning
import Foundation
import Segmentation
import Tensors
import Testing
import Training
import Volumes

struct FinetuneRecipeTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Finetune").path(percentEncoded: false)

    /// Recipes of comparisons lie beside these and have keys of their own.
    private static let bundled = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
        .filter { $0.hasSuffix(".yaml") && !$0.hasPrefix("compare-") }

    private func parsed(_ text: String) throws -> (FinetuneRecipe, ResolvedRecipe) {
        try RecipeDocument.parse(text).resolve(FinetuneRecipe.init(reading:))
    }

    @Test("every bundled recipe resolves, and its resolved copy means the same", arguments: bundled)
    func bundledRecipes(name: String) throws {
        let (_, resolved) = try FinetuneRecipe.load("\(Self.folder)/\(name)")
        #expect(try parsed(resolved.yaml).1.yaml == resolved.yaml)
    }

    @Test func theDefaultRecipeWritesOutTheDefaults() throws {
        let (_, written) = try FinetuneRecipe.load("\(Self.folder)/default.yaml")
        #expect(try written.yaml == parsed("seed: 0").1.yaml)
    }

    @Test func theDefaultsAreTheStudys() throws {
        let (recipe, _) = try parsed("seed: 0")
        #expect(recipe.transfer == .encoder && recipe.training(isPretrained: true).schedule == .stagedWarmUps)
        #expect(recipe.training(isPretrained: false).schedule == .fromScratch && recipe.training.clipNorm == 12)
        #expect(recipe.training.rule as? SGD == SGD(momentum: 0.99, nesterov: true, weightDecay: 3e-5))
        #expect(recipe.plan.patch == 160 && recipe.plan.batch == 2 && recipe.plan.spacingMM == [1, 1, 1])
    }

    @Test func stepsScaleEitherSchedule() throws {
        let (recipe, _) = try FinetuneRecipe.load("\(Self.folder)/small-cpu.yaml", overrides: ["steps=44"])
        #expect(recipe.training(isPretrained: true).schedule.stages.map(\.steps) == [2, 2, 40])
        #expect(recipe.training(isPretrained: false).schedule.stages.map(\.steps) == [44])
    }

    @Test(
        "mistakes name the key and what is expected",
        arguments: [
            ("transfer: decoder", "none, encoder, encoder+decoder"), ("trasnfer: none", "transfer"),
            ("plan:\n  patch: 100", "multiples of 32"), ("patches:\n  mirrored_axes: [0, 0]", "twice"),
            ("loss:\n  dice: 0\n  cross_entropy: 0", "nothing would be learned"), ("steps: 0", "from 1"),
        ])
    func mistakes(text: String, says: String) {
        let error = #expect(throws: RecipeError.self) { _ = try parsed(text) }
        #expect(error?.description.contains(says) == true, "\(String(describing: error))")
    }

    @Test func lightAugmentationIsThatOfTheYardstick() throws {
        let (recipe, _) = try FinetuneRecipe.load("\(Self.folder)/small-cpu.yaml")
        let plan = Plan.fixed(channelNames: ["T1"], outputChannels: 3, patch: recipe.plan.patch)
        let cutter = recipe.cutter(for: plan)
        #expect(cutter.spatial?.rotationProbability == 0.2 && cutter.spatial?.scalingProbability == 0.2)
        let kinds = cutter.transforms.transforms.map { "\(type(of: $0))" }
        #expect(kinds == ["GaussianNoise", "Brightness", "Gamma", "Mirroring"])
        let (full, _) = try parsed("seed: 0")
        #expect(full.cutter(for: plan).transforms.transforms.count == 8)
    }
}
