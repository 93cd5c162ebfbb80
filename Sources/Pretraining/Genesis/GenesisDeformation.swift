import Augmentation
import Tensors
import Training
import Volumes

/// How Models Genesis deforms a patch: flips that the target shares, then shuffled voxels, bent intensities, and painting.
///
/// Zhou et al. 2019, arXiv:1908.06912.
public struct GenesisDeformation: Sendable {
    /// The interval that intensities are taken to for the deformation.
    public enum Range: String, CaseIterable, Sendable {
        /// The 0.5th and 99.5th percentile of the patch become 0 and 1; afterwards everything is scaled back.
        case percentiles
        /// Intensities stay as they are. The public re-implementation does so with z-scored images, which loses what lies
        /// below 0 and above 1.
        case none
    }

    /// Of going on flipping, up to three times.
    public var flipProbability: Double
    /// Local texture.
    public var shuffling: PixelShuffling
    /// Shades.
    public var intensity: BezierIntensity
    /// What is hidden.
    public var painting: Painting
    /// The interval that these work in.
    public var range: Range

    /// Reads the probabilities; the defaults are the original code's.
    /// - Throws: `RecipeError`.
    init(reading section: RecipeSection) throws {
        func probability(_ key: String, default value: Double) throws -> Double {
            try section.double(key, default: value, in: 0...1)
        }
        flipProbability = try probability("flip_probability", default: 0.4)
        shuffling = PixelShuffling(
            probability: try probability("shuffling_probability", default: 0.5),
            windows: try section.integer("shuffling_windows", default: 10_000, in: 0...10_000_000))
        intensity = BezierIntensity(
            probability: try probability("intensity_probability", default: 0.9),
            fallingProbability: try probability("falling_probability", default: 0.5))
        painting = Painting(
            probability: try probability("painting_probability", default: 0.9),
            inPaintingProbability: try probability("in_painting_probability", default: 0.2))
        range = try section.choice("range", default: .percentiles)
    }

    /// The pairs to learn from.
    public func batch(of patches: PatchBatch, at place: BatchPlace) -> Restoration.Batch {
        var (deformed, original): ([Patch], [Patch]) = ([], [])
        for sample in 0..<patches.samples {
            let pair = pair(of: patches.patch(sample), sample: patches.indices[sample], at: place)
            deformed.append(pair.deformed)
            original.append(pair.original)
        }
        return Restoration.Batch(
            deformed: PatchBatch(deformed, names: patches.names), original: PatchBatch(original, names: patches.names))
    }

    private func pair(of patch: Patch, sample: Int, at place: BatchPlace) -> (deformed: Patch, original: Patch) {
        var original = patch
        var draws = place.draws("deform-flip", sample: sample)
        flip(&original, &draws)
        var deformed = original
        let scale = range == .percentiles ? UnitScale(of: original.image) : UnitScale(low: 0, high: 1)
        if range == .percentiles { scale.toUnit(&deformed) }
        TransformList([shuffling, intensity, painting])
            .apply(to: &deformed, seed: place.seed, step: place.step, sample: sample)
        if range == .percentiles { scale.fromUnit(&deformed) }
        return (deformed, original)
    }

    /// The original flips the axes 0, 1 and 2 of `[C, X, Y, Z]`: nothing happens to a single channel, and slices, stacked
    /// along Z, keep their order.
    private func flip(_ patch: inout Patch, _ draws: inout Draws) {
        for _ in 0..<3 {
            guard draws.chance(flipProbability) else { return }
            let axis = draws.integer(in: 0..<3)
            if axis > 0 { patch.mirror(along: 3 - axis) }
        }
    }
}
