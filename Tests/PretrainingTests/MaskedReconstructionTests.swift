import Foundation
import Networks
import Pretraining
import Tensors
import Testing
import Training
import Volumes
import WeightFiles

struct MaskedReconstructionTests {
    private let cpu = CPU(threads: 2)

    /// A volume of smooth waves: what is hidden follows from what is seen.
    private static func waves(seed: UInt64) -> PretrainingData.Image {
        var draws = Draws(seed: seed, purpose: "test waves")
        let phases = (0..<3).map { _ in draws.uniform(in: 0..<6) }
        let edge = 24
        let voxels = (0..<edge * edge * edge).map { index -> Float in
            let place = [index / (edge * edge), index / edge % edge, index % edge]
            let waves = (0..<3).map { axis -> Double in sin(0.6 * Double(place[axis]) + phases[axis]) }
            return Float(waves.reduce(0, +) / 1.22)
        }
        return .init(
            name: "waves\(seed)", source: Patch(image: voxels, channels: 1, labels: nil, extent: Extent3(edge)))
    }

    private static let data = PretrainingData(training: (0..<4).map(waves), validation: [waves(seed: 9)])

    private static func load(_ method: String, steps: Int) throws -> (PretrainingRecipe, ResolvedRecipe) {
        let text = """
            method: \(method)
            plan: {patch: 16, batch: 2, features: [8, 12], blocks: [1, 1]}
            masking: {block: \(method == "s3d" ? 2 : 4), ratio: 0.6}
            augmentation: {rotation_probability: 0, scaling_probability: 0}
            optimizer: {momentum: 0.9}
            schedule: {stages: [{steps: \(steps), shape: constant, peak: 0.03}]}
            validation: {batches: 2}
            run: {checkpoint_steps: 7}
            """
        return try RecipeDocument.parse(text).resolve(PretrainingRecipe.init(reading:))
    }

    private func train(
        _ method: some PretextMethod, _ recipe: PretrainingRecipe, _ resolved: ResolvedRecipe, _ path: String
    )
        throws
    {
        let run =
            try FileManager.default.fileExists(atPath: path)
            ? RunDirectory.resume(path, recipe: resolved) : RunDirectory.create(path, recipe: resolved)
        let task = try method.task(recipe.setup, data: Self.data, on: cpu)
        var loop = try TrainingLoop(task, recipe: recipe.training, in: run)
        var progress = Progress.silent
        try loop.train(progress: &progress)
    }

    @Test(
        "a method learns to rebuild what is hidden, and its weights carry their card", arguments: PretextMethods.names)
    func learns(method: String) throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "run-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let (recipe, resolved) = try Self.load(method, steps: 40)
        try train(recipe.method, recipe, resolved, path)

        let log = try String(contentsOfFile: "\(path)/log.jsonl", encoding: .utf8).split(separator: "\n")
        let entries = try log.map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        let losses = entries.compactMap { $0["loss"] as? Double }
        #expect(losses.count == 40)
        // Guessing the mean scores 1, the variance of the waves.
        #expect(losses.suffix(5).reduce(0, +) / 5 < 0.75, "\(losses)")
        let judgement = try #require(entries.compactMap { $0["validation"] as? [String: Double] }.last)
        #expect(try #require(judgement["validation loss"]) < 0.9)

        let weights = try SafetensorsFile.read("\(path)/weights.safetensors")
        let card = try #require(TransferCard(metadata: weights.metadata))
        #expect(card.method == method && card.architecture == recipe.setup.network && card.patch == 16)
        let unet = try UNet(card.architecture, on: cpu)
        try unet.load(weights, allowing: .unused(under: "mask_tokens"), .unused(under: "densify_projs"))
        let page = try String(contentsOfFile: "\(path)/index.html", encoding: .utf8)
        #expect(page.contains("hidden blocks rebuilt") && page.contains("data:image/png"))
    }

    /// Everything that is drawn is a function of the step, so the task itself needs no state.
    @Test func masksAndBatchesOfAStepDoNotDependOnTheStepsBefore() throws {
        let (recipe, _) = try Self.load("s3d", steps: 3)
        let method = try #require(recipe.method as? Spark3D)
        func losses(_ steps: [Int]) throws -> [Float] {
            let task = try method.task(recipe.setup, data: Self.data, on: cpu)
            return try steps.map { task.loss(try task.batches.batch(step: $0), step: $0).total.item }
        }
        let forward = try losses([0, 1, 2])
        #expect(try losses([2, 0, 1]) == [forward[2], forward[0], forward[1]])
        #expect(Set(forward).count == 3)
    }

    @Test func theDenseBaselineDoesNotSeeHiddenVoxelsEither() throws {
        let plan = NetworkPlan(inputChannels: 1, outputChannels: 1, features: [4, 6], blocks: [1, 1])
        let network = DenseAutoencoder(unet: try UNet(plan, on: cpu))
        Initializer.pytorchDefault.initialize(network, seed: 1)
        let mask = try BlockMasking(patch: 8, block: 4, ratio: .fixed(0.5)).mask(samples: 1, seed: 1, step: 0)
        let seen = mask.voxels(in: 8)
        let ones = Tensor(filledWith: 1, shape: [1, 8, 8, 8, 1], on: cpu)
        let altered = Tensor(seen.map { $0 == 1 ? 1 : 7 }, shape: [1, 8, 8, 8, 1], on: cpu)
        let output = network(ones, mask: mask, in: .inference).scalars
        #expect(network(altered, mask: mask, in: .inference).scalars == output)
        let zeroed = Tensor(seen, shape: [1, 8, 8, 8, 1], on: cpu)
        #expect(network.unet(zeroed, in: .inference)[0].scalars == output)
    }
}
