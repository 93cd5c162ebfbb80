import Networks
import Pretraining
import Tensors
import Testing
import Training
import Volumes

struct PCRLTests {
    private let cpu = CPU(threads: 2)

    private func rows(_ count: Int, _ length: Int, seed: UInt64) -> Tensor {
        var draws = Draws(seed: seed, purpose: "test rows")
        return Tensor((0..<count * length).map { _ in Float(draws.normal()) }, shape: [count, length], on: cpu)
    }

    @Test func disagreementIsACosine() throws {
        let (a, b) = (rows(4, 6, seed: 1), rows(4, 6, seed: 2))
        #expect(abs(disagreement((a, a), (a, a)).item + 1) < 1e-6)
        #expect(abs(disagreement((a, scale(a, by: -1)), (a, scale(a, by: -2))).item - 1) < 1e-6)
        #expect(abs(disagreement((a, b), (b, a)).item + 1) < 1e-6, "each predicts the other")
        let tracked = [a.tracked(), b.tracked(), rows(4, 6, seed: 3).tracked(), rows(4, 6, seed: 4).tracked()]
        let loss = disagreement((tracked[0], tracked[1]), (tracked[2], tracked[3]))
        #expect((-1...1).contains(loss.item))
        let gradients = loss.backward()
        let trained = tracked.map { gradients[$0] != nil }
        #expect(trained == [false, true, false, true], "vectors are constant")
    }

    private static func views(_ text: String = "") throws -> ScaleViews {
        let recipe = try RecipeDocument.parse(
            "method: pcrlv2\nplan: {patch: 32, batch: 2, features: [4, 6, 8], blocks: [1, 1, 1]}\n\(text)"
        ).resolve(PretrainingRecipe.init(reading:)).0
        return try #require(recipe.method as? PCRL).views
    }

    @Test func boxesOverlapAndLocalsLieWithin() throws {
        let views = try Self.views()
        // A quarter of the published sizes.
        let largest = views.globalBoxes.map(\.volume).max()
        #expect(views.region == Extent3(45) && views.localExtent == Extent3(16))
        #expect(largest == 64_000)
        for step in 0..<200 {
            var draws = Draws(seed: 1, purpose: "test boxes", step: step)
            let boxes = views.globals(&draws)
            #expect(boxes.0.overlap(with: boxes.1) >= 0.3)
            let local = views.local(around: boxes, &draws)
            for axis in 0..<3 {
                #expect(local[axis].lowerBound >= min(boxes.0[axis].lowerBound, boxes.1[axis].lowerBound))
                #expect(local[axis].upperBound <= max(boxes.0[axis].upperBound, boxes.1[axis].upperBound))
                #expect((0...45).contains(boxes.1[axis].upperBound))
            }
        }
        // Two cubes of 10 that share half of their volume: 500 / 1500.
        let (a, b) = (VoxelBox(origin: [0, 0, 0], extent: 10), VoxelBox(origin: [5, 0, 0], extent: 10))
        #expect(abs(a.overlap(with: b) - 1.0 / 3) < 1e-12)
    }

    /// In the public code the target shares memory with the view that noise is added to, and one small view is used six times.
    @Test func theTargetIsFreeOfNoiseAndSmallViewsDiffer() throws {
        let region = PatchBatch(
            (0..<2).map { image in
                Patch(
                    image: (0..<91_125).map { voxel -> Float in Float((voxel + image) % 77) }, channels: 1, labels: nil,
                    extent: 45)
            }, names: ["a", "b"])
        let place = BatchPlace(seed: 1, step: 0, phase: .training)
        let noisy = try Self.views().batch(of: region, at: place)
        let quiet = try Self.views("views: {intensity_probability: 0}").batch(of: region, at: place)
        #expect(noisy.target.voxels == quiet.target.voxels && quiet.globals[0].voxels == quiet.target.voxels)
        #expect(noisy.globals[0].voxels != noisy.target.voxels)
        let different = Set(noisy.locals.map(\.voxels)).count
        #expect(different == 6 && noisy.choices.count == 14)
        #expect(noisy.choices.allSatisfy { (0..<1).contains($0) })
    }

    @Test func impossiblePlansAreRefused() {
        for (key, value) in [("plan.batch", "1"), ("plan.features", "[4, 6]"), ("views.local_patch", "7")] {
            let overrides = ["\(key)=\(value)"] + (key == "plan.features" ? ["plan.blocks=[1, 1]"] : [])
            #expect(throws: RecipeError.self) {
                _ = try RecipeDocument.parse(
                    "method: pcrlv2\nplan: {patch: 32, batch: 2, features: [4, 6, 8], blocks: [1, 1, 1]}",
                    overrides: overrides
                ).resolve(PretrainingRecipe.init(reading:))
            }
        }
    }
}
