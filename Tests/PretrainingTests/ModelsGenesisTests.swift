import Augmentation
import Pretraining
import Tensors
import Testing
import Training
import Volumes

struct ModelsGenesisTests {
    private static func deformation(_ overrides: String...) throws -> GenesisDeformation {
        let recipe = try RecipeDocument.parse("method: genesis", overrides: overrides)
            .resolve(PretrainingRecipe.init(reading:)).0
        return try #require(recipe.method as? ModelsGenesis).deformation
    }

    private static let patches: PatchBatch = {
        var draws = Draws(seed: 3, purpose: "test noise")
        let patches = (0..<2).map { _ in
            Patch(image: (0..<1000).map { _ in Float(draws.normal()) }, channels: 1, labels: nil, extent: 10)
        }
        return PatchBatch(patches, names: ["a", "b"])
    }()

    /// Zhou et al. 2019 and the original code: the order and the probabilities of its transforms.
    @Test func defaultsAreTheOriginals() throws {
        let deformation = try Self.deformation()
        #expect(deformation.flipProbability == 0.4 && deformation.range == .percentiles)
        #expect(deformation.shuffling == PixelShuffling(probability: 0.5, windows: 10_000, size: .upTo(divisor: 10)))
        #expect(deformation.intensity == BezierIntensity(probability: 0.9, fallingProbability: 0.5))
        #expect(deformation.painting == Painting(probability: 0.9, inPaintingProbability: 0.2))
        let setup = try RecipeDocument.parse("method: genesis").resolve(PretrainingRecipe.init(reading:)).0.setup
        #expect(setup.cutter.sampling.box == 160 && setup.cutter.spatial == nil)
        #expect(setup.cutter.transforms.transforms.isEmpty)
    }

    @Test func theTargetIsTheFlippedPatchAndSlicesKeepTheirOrder() throws {
        let deformation = try Self.deformation("deformation.flip_probability=1")
        var flipped: Set<[Int]> = []
        for step in 0..<40 {
            let place = BatchPlace(seed: 1, step: step, phase: .training)
            let target = deformation.batch(of: Self.patches, at: place).original.patch(0)
            let possible = [[], [1], [2], [1, 2]].filter { axes in
                var patch = Self.patches.patch(0)
                for axis in axes { patch.mirror(along: axis) }
                return patch == target
            }
            #expect(possible.count == 1)
            flipped.formUnion(possible)
        }
        #expect(flipped == [[], [1], [2], [1, 2]])
    }

    /// In 0...1 everything beyond the percentiles is cut off; nothing else may happen.
    @Test func withoutDeformationsOnlyTheExtremesAreClipped() throws {
        let off = ["flip", "shuffling", "intensity", "painting"].map { "deformation.\($0)_probability=0" }
        let place = BatchPlace(seed: 1, step: 0, phase: .training)
        let clipped = try Self.deformation(off[0], off[1], off[2], off[3]).batch(of: Self.patches, at: place)
        #expect(clipped.original.voxels == Self.patches.voxels)
        let changed = zip(clipped.deformed.voxels, Self.patches.voxels).count { abs($0 - $1) > 1e-5 }
        // Five below and five above of each thousand.
        #expect(changed == 20)
        let raw = try Self.deformation(off[0], off[1], off[2], off[3], "deformation.range=none")
        #expect(raw.batch(of: Self.patches, at: place).deformed.voxels == Self.patches.voxels)
    }

    /// Observed over many draws: shuffled 0.5, bent 0.9, in-painted 0.18, out-painted 0.72.
    @Test func transformsComeAsOftenAsTheyShould() {
        let whole = Patch(image: [Float](repeating: 2, count: 1728), channels: 1, labels: nil, extent: 12)
        var counts = (inside: 0, outside: 0, shuffled: 0, bent: 0)
        for step in 0..<2000 {
            func applied(_ transform: any PatchTransform, to patch: Patch) -> Patch {
                var patch = patch
                TransformList([transform]).apply(to: &patch, seed: 5, step: step, sample: 0)
                return patch
            }
            let painted = applied(Painting(), to: whole)
            // Boxes stay away from the faces: the corner is noise only outside them.
            if painted.image[0] < 1 { counts.outside += 1 } else if painted != whole { counts.inside += 1 }
            guard step < 400 else { continue }
            let small = Patch(image: (0..<64).map { Float($0) / 64 }, channels: 1, labels: nil, extent: 4)
            if applied(PixelShuffling(windows: 40, size: .upTo(divisor: 2)), to: small) != small {
                counts.shuffled += 1
            }
            if step < 60, applied(BezierIntensity(), to: small) != small { counts.bent += 1 }
        }
        // Binomial deviations are 20 for out-painting, 17 for in-painting (where no box came with 0.05), 10 and 2.3.
        #expect(abs(counts.outside - 1440) < 80 && abs(counts.inside - 342) < 70)
        #expect(abs(counts.shuffled - 200) < 40 && abs(counts.bent - 54) < 9)
    }
}
