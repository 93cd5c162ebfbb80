import Pretraining
import Tensors
import Testing
import Training
import Volumes

struct VolumeFusionTests {
    private static let extent = Extent3(depth: 20, height: 16, width: 12)

    private static func noise(seed: UInt64) -> [Float] {
        var draws = Draws(seed: seed, purpose: "test noise")
        return (0..<extent.volume).map { _ in Float(draws.normal()) }
    }

    @Test func levelsSayHowMuchOfEachPatchIsSeen() {
        let (fusion, front, back) = (BoxFusion(), Self.noise(seed: 1), Self.noise(seed: 2))
        var draws = Draws(seed: 3, purpose: "test boxes")
        let levels = fusion.levels(in: Self.extent, draws: &draws)
        #expect(Set(levels) == [0, 1, 2, 3, 4])
        let fused = fusion.fused(front, back, levels: levels)
        let swapped = fusion.fused(back, front, levels: levels.map { 4 - $0 })
        for voxel in fused.indices {
            let (f, b) = (front[voxel], back[voxel])
            if levels[voxel] == 0 { #expect(fused[voxel] == b) }
            if levels[voxel] == 4 { #expect(fused[voxel] == f) }
            #expect(fused[voxel] >= min(f, b) - 1e-5 && fused[voxel] <= max(f, b) + 1e-5)
            #expect(abs(fused[voxel] - swapped[voxel]) < 1e-5)
        }
    }

    /// The last box of a place decides. With one box of the whole patch all levels are equally likely.
    @Test func everyLevelComesEquallyOften() {
        let fusion = BoxFusion(boxes: 1...1, smallest: 100, largestShare: 1)
        var counts = [Int](repeating: 0, count: 5)
        for step in 0..<1000 {
            var draws = Draws(seed: 3, purpose: "test boxes", step: step)
            let levels = fusion.levels(in: 4, draws: &draws)
            #expect(Set(levels).count == 1, "a box is at most as large as the patch")
            counts[Int(levels[0])] += 1
        }
        // Binomial with 1000 draws of 1/5: deviation 13.
        #expect(counts.allSatisfy { abs($0 - 200) < 60 }, "\(counts)")
    }

    @Test func boxesKeepToTheirSizes() {
        let fusion = BoxFusion(boxes: 1...1)
        for step in 0..<200 {
            var draws = Draws(seed: 4, purpose: "test boxes", step: step)
            let count = fusion.levels(in: 24, draws: &draws).count { $0 > 0 }
            // 8 to 15 voxels along each axis of 24; or level 0, which nobody sees.
            #expect(count == 0 || (512...3375).contains(count))
        }
    }

    @Test func partnersShowOtherImages() throws {
        let batches = PatchBatches(
            of: wavesData.training, cutter: .plain(patch: 8, oversampling: .probability(0)), samples: 8, seed: 2,
            arePairs: true)
        var seen: Set<String> = []
        for step in 0..<20 {
            let names = try batches.batch(step: step).names
            for pair in 0..<4 {
                #expect(names[pair] != names[pair + 4])
                seen.insert("\(names[pair]) \(names[pair + 4])")
            }
        }
        #expect(seen.count == 12, "all ordered pairs of four images")
    }

    /// Wald et al. 2024, arXiv:2410.23132, appendix A.2: five classes, 10 to 39 boxes of 8 to 100 voxels in 160³.
    @Test func defaultsAreTheStudys() throws {
        let recipe = try RecipeDocument.parse("method: volume-fusion").resolve(PretrainingRecipe.init(reading:)).0
        let method = try #require(recipe.method as? VolumeFusion)
        #expect(method.fusion == BoxFusion(levels: 4, boxes: 10...39, smallest: 8, largestShare: 0.625))
        #expect(Int(method.fusion.largestShare * 160) == 100 && !method.isCentered)
    }
}
