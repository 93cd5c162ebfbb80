import Augmentation
import Foundation
import Tensors
import Training
import Volumes

/// The views of GVSL: patches A and B, moved by the same random map, and A once more with another appearance. He et al. 2023,
/// "Geometric visual similarity learning", CVPR, as re-implemented for Wald et al. 2024, arXiv:2410.23132.
public struct ShapeViews: Sendable {
    /// Patches of a step.
    public struct Batch: Sendable {
        /// A.
        public var fixed: PatchBatch
        /// A with another appearance.
        public var altered: PatchBatch
        /// B.
        public var moving: PatchBatch
    }

    /// Local texture: all windows are shuffled alike.
    public var shuffling = PixelShuffling(probability: 0.8, windows: 5000, size: .fixed(divisor: 20))
    /// Shades: curves never fall.
    public var intensity = BezierIntensity(probability: 0.9, fallingProbability: 0)
    /// What is hidden: many small boxes.
    public var painting = InPainting(boxes: 30, smallestDivisor: 10, largestDivisor: 5, excludesLargest: true)
    /// How patches are moved.
    public var motion: RandomMotion

    /// Reads `shuffling_probability`, `shuffling_windows`, `intensity_probability` and the numbers of ``RandomMotion``.
    /// - Throws: `RecipeError`.
    init(reading section: RecipeSection) throws {
        shuffling.probability = try section.double("shuffling_probability", default: 0.8, in: 0...1)
        shuffling.windows = try section.integer("shuffling_windows", default: 5000, in: 0...10_000_000)
        intensity.probability = try section.double("intensity_probability", default: 0.9, in: 0...1)
        motion = try RandomMotion(reading: section)
    }

    /// The views of a batch whose first half is A and whose second half is B.
    public func batch(of patches: PatchBatch, at place: BatchPlace) -> Batch {
        let pairs = patches.samples / 2
        var (fixed, altered, moving): ([Patch], [Patch], [Patch]) = ([], [], [])
        for pair in 0..<pairs {
            let map = motion.places(in: patches.extent, draws: place.draws("motion", sample: pair))
            let (first, second) = (patches.patch(pair), patches.patch(pair + pairs))
            fixed.append(map.moved(first))
            altered.append(map.moved(appearance(of: first, sample: pair, at: place)))
            moving.append(map.moved(second))
        }
        return Batch(
            fixed: PatchBatch(fixed, names: Array(patches.names[..<pairs])),
            altered: PatchBatch(altered, names: Array(patches.names[..<pairs])),
            moving: PatchBatch(moving, names: Array(patches.names[pairs...])))
    }

    private func appearance(of patch: Patch, sample: Int, at place: BatchPlace) -> Patch {
        var patch = patch
        let scale = UnitScale(of: patch.image)
        scale.toUnit(&patch)
        TransformList([shuffling, intensity, painting])
            .apply(to: &patch, seed: place.seed, step: place.step, sample: sample)
        scale.fromUnit(&patch)
        return patch
    }
}
