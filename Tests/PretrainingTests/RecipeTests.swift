import Foundation
import Networks
import Pretraining
import Tensors
import Testing
import Training

struct RecipeTests {
    /// The recipes beside the sources.
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../Pretrain").standardizedFileURL.path

    private static func load(_ name: String, _ overrides: String...) throws -> PretrainingRecipe {
        try PretrainingRecipe.load("\(folder)/\(name)", overrides: overrides).0
    }

    @Test(
        "every recipe of the folder can be read", arguments: try FileManager.default.contentsOfDirectory(atPath: folder)
    )
    func all(name: String) throws {
        let (recipe, resolved) = try PretrainingRecipe.load("\(Self.folder)/\(name)")
        #expect(name.hasPrefix(type(of: recipe.method).name))
        let again = try RecipeDocument.parse(resolved.yaml).resolve(PretrainingRecipe.init(reading:)).1
        #expect(again.firstDifference(from: resolved) == nil)
    }

    /// Wald et al. 2024, arXiv:2410.23132, and the public code where the paper is silent.
    @Test("the recipe, and no recipe at all, mean the paper's values", arguments: [true, false])
    func paperValues(isFile: Bool) throws {
        let recipe =
            try isFile
            ? Self.load("s3d.yaml")
            : RecipeDocument.parse("method: s3d").resolve(PretrainingRecipe.init(reading:)).0
        let method = try #require(recipe.method as? Spark3D)
        #expect(recipe.setup.network == NetworkPreset.l.plan(outputChannels: 1))
        #expect(recipe.setup.patch == 160 && recipe.setup.batch == 6 && recipe.setup.spacingMM == [1, 1, 1])
        #expect(method.masking.block == 32 && method.masking.ratio == .uniform(0.6..<0.9))
        #expect(recipe.training.rule as? SGD == SGD(momentum: 0.99, nesterov: true, weightDecay: 3e-5))
        #expect(recipe.training.clipNorm == 12 && recipe.training.schedule.steps == 250_000)
        #expect(recipe.training.schedule.stepsPerUpdate == 250)
        #expect(recipe.training.schedule.learningRate(at: 0) == 0.01)
        #expect(abs(recipe.training.schedule.learningRate(at: 125_000) - 0.01 * pow(0.5, 0.9)) < 1e-9)
        #expect(recipe.setup.cutter.sampling.box == 257)
        #expect(recipe.setup.initializer == .he, "the public code forgets to initialize")
    }

    @Test(
        "methods differ in nothing else: optimizer and schedule of the small recipes are alike",
        arguments: [
            "mae", "mae-simmim", "genesis", "volume-fusion", "simclr", "moco", "voco", "swin-pretext", "gvsl", "pcrlv2",
        ])
    func alike(method: String) throws {
        let (yardstick, training) = (
            try Self.load("s3d-cpu.yaml").training, try Self.load("\(method)-cpu.yaml").training
        )
        let rule = try #require(yardstick.rule as? SGD)
        #expect(rule == SGD(momentum: 0.9, nesterov: true, weightDecay: 3e-5))
        #expect(training.rule as? SGD == rule && training.schedule == yardstick.schedule)
    }

    @Test(
        "impossible combinations name the key",
        arguments: [
            ("masking.block=4", "masking.block", "Set the block to 8x8x8"),
            ("masking.ratio=1.5", "masking.ratio", "between 0 and 1"),
            ("masking.ratio=0", "masking.ratio", "between 0 and 1"), ("plan.patch=60", "plan.patch", "56x56x56"),
            ("masking.ratio=0.001", "masking.ratio", "hides none"), ("masking.ratoi=0.5", "ratoi", "masking.ratio"),
            ("method=s4d", "method", "s3d"), ("plan.features=[8]", "plan", "1"),
        ])
    func refused(override: String, key: String, hint: String) {
        do {
            _ = try Self.load("s3d-cpu.yaml", override)
            Issue.record("\(override) was accepted")
        } catch {
            #expect("\(error)".contains(key) && "\(error)".contains(hint), "\(error)")
            #expect((error as? any UserFacingError)?.exitCode == ExitStatus.usage)
        }
    }

    /// S3D must hide whole voxels of the bottleneck, unless told not to; the dense baseline may hide any blocks.
    @Test func onlyTheSparseEncoderNeedsBlocksOfTheTotalStride() throws {
        #expect(throws: RecipeError.self) { try Self.load("s3d-cpu.yaml", "masking.block=4") }
        let public16 = try Self.load("s3d-cpu.yaml", "masking.block=4", "masking.visible_bottleneck=true")
        #expect((public16.method as? Spark3D)?.masking.grid == 16)
        #expect((try Self.load("s3d-cpu.yaml", "masking.block=16").method as? Spark3D)?.masking.grid == 4)
        let dense = try Self.load("mae-cpu.yaml", "masking.block=16", "masking.ratio=0.75")
        #expect((dense.method as? DenseMAE)?.masking.grid == 4)
        #expect(throws: RecipeError.self) { try Self.load("mae-cpu.yaml", "masking.block=24") }
    }

    @Test func givenSourcesReplaceTheRecipes() throws {
        let path = "\(Self.folder)/s3d-cpu.yaml"
        let odd = ["/data/it's here", "/data/a, b"]
        #expect(try PretrainingRecipe.load(path, sources: odd).0.data.sources == odd)
    }
}
