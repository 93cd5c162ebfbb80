import Foundation
import Networks
import Pretraining
import Tensors
import Testing
import Training
import Volumes

struct SwinPretextTests {
    private let cpu = CPU(threads: 2)

    private static func method(_ overrides: String...) throws -> SwinPretext {
        let recipe = try RecipeDocument.parse("method: swin-pretext\nplan: {patch: 32}", overrides: overrides)
            .resolve(PretrainingRecipe.init(reading:)).0
        return try #require(recipe.method as? SwinPretext)
    }

    private static let patches: PatchBatch = {
        var draws = Draws(seed: 3, purpose: "test noise")
        let patches = (0..<2).map { _ in
            Patch(image: (0..<4096).map { _ in Float(draws.normal() + 9) }, channels: 1, labels: nil, extent: 16)
        }
        return PatchBatch(patches, names: ["a", "b"])
    }()

    @Test func viewsAreTurnedAndOnlyTheirCutsDiffer() throws {
        var seen: Set<Int> = []
        for step in 0..<12 {
            let place = BatchPlace(seed: 1, step: step, phase: .training)
            let batch = try Self.method().batch(of: Self.patches, at: place)
            let untouched = try Self.method("views.cut_out=0").batch(of: Self.patches, at: place)
            #expect(untouched.cut.voxels == untouched.whole.voxels && untouched.whole.voxels == batch.whole.voxels)
            for view in 0..<4 {
                var patch = Self.patches.patch(view % 2)
                patch.turn(quarters: batch.quarters[view], firstAxis: 1)
                #expect(batch.whole.patch(view) == patch)
                seen.insert(batch.quarters[view])
                // Noise lies in 0...1, images around 9; what is neither is borrowed from the other image.
                let (cut, other) = (batch.cut.patch(view).image, batch.whole.patch(view ^ 1).image)
                for voxel in cut.indices where cut[voxel] != patch.image[voxel] {
                    #expect((0...1).contains(cut[voxel]) || cut[voxel] == other[voxel])
                }
            }
        }
        #expect(seen == [0, 1, 2, 3])
    }

    @Test func budgetsAreSpentAndBoxesKeepToTheirSizes() {
        var shares: [Double] = []
        for step in 0..<200 {
            var draws = Draws(seed: 1, purpose: "test boxes", step: step)
            let boxes = CutOut().boxes(in: 40, draws: &draws)
            #expect(boxes.allSatisfy { box in (0..<3).allSatisfy { (1...10).contains(box[$0].count) } })
            shares.append(Double(boxes.reduce(0) { $0 + $1.extent.volume }) / 64_000)
        }
        // Uniform in 0..<0.3, and the last box exceeds the budget by less than (1/4)³.
        #expect(shares.max()! < 0.3 + 0.016 && abs(shares.reduce(0, +) / 200 - 0.15) < 0.03)
    }

    /// Heads that know nothing: four quarters are equally likely.
    @Test("untrained heads are at the level of chance", arguments: PretextTriple.Tokens.allCases)
    func chance(tokens: PretextTriple.Tokens) throws {
        let plan = NetworkPlan(inputChannels: 1, outputChannels: 1, features: [4, 6, 8], blocks: [1, 1, 1])
        let learner = PretextTriple(plan, tokens: tokens, width: 5, temperature: 0.5, on: cpu)
        Initializer.he.initialize(learner, seed: 1)
        learner.rotation.weight.fill(with: 0)
        let batch = try Self.method().batch(of: Self.patches, at: BatchPlace(seed: 1, step: 0, phase: .training))
        let loss = learner.loss(batch, in: .training)
        #expect(abs(try #require(loss.parts["rotation"]) - log(4)) < 1e-6)
        #expect(abs(Double(loss.total.item) - loss.parts.values.reduce(0, +)) < 1e-4)
        let gradients = loss.total.backward()
        for (name, parameter) in learner.namedParameters { #expect(gradients[parameter] != nil, "\(name)") }
        #expect(learner.result.namedParameters.allSatisfy { $0.name.hasPrefix("encoder.") })
    }

    @Test func oblongSlicesCannotBeTurned() {
        #expect(throws: RecipeError.self) { _ = try Self.method("plan.patch=[32,32,64]") }
    }
}
