import Augmentation
import Foundation
import Tensors
import Training
import Volumes

/// The views of PCRLv2: two large boxes of a region that overlap, and small boxes inside both, all resized and changed in their
/// own way. Zhou et al. 2023, "A unified visual information preservation framework", TPAMI, as re-implemented for Wald et al.
/// 2024, arXiv:2410.23132.
public struct ScaleViews: Sendable {
    /// Views of a step.
    public struct Batch: Sendable {
        /// The first large box, and the second.
        public var globals: [PatchBatch]
        /// The first large box as it was moved, but before its intensities changed.
        public var target: PatchBatch
        /// The small boxes; the first of each image, then the second, ...
        public var locals: [PatchBatch]
        /// Random numbers in 0..<1 that choose a scale: one for each comparison, and one for the restoration.
        public var choices: [Double]
    }

    /// What both large boxes lie in.
    public var region: Extent3
    /// The sizes that large boxes may have.
    public var globalBoxes: [Extent3]
    /// The sizes that small boxes may have.
    public var localBoxes: [Extent3]
    /// What large boxes are resized to.
    public var globalExtent: Extent3
    /// What small boxes are resized to.
    public var localExtent: Extent3
    /// How much large boxes overlap at least: the volume they share over the volume they cover together.
    public var smallestOverlap: Double
    /// How many small boxes there are.
    public var locals: Int
    /// Of each change of intensities.
    public var intensityProbability: Double

    /// Reads `region`, `global_boxes`, `local_boxes`, `local_patch`, `overlap`, `locals`, `intensity_probability`. The
    /// defaults are the public code's for patches of 128³, in proportion for others.
    /// - Throws: `RecipeError`.
    init(reading section: RecipeSection, patch: Extent3) throws {
        func scaled(_ depth: Int, _ height: Int, _ width: Int) -> Extent3 {
            patch.zipped(with: Extent3(depth: depth, height: height, width: width)) { $0 * $1 / 128 }
        }
        let region = try section.extent("region", default: scaled(180, 180, 180))
        func boxes(_ key: String, _ usual: [Extent3]) throws -> [Extent3] {
            let sizes = try section.sections(key, defaultCount: usual.count).enumerated().map { index, box in
                try box.extent("size", default: usual[min(index, usual.count - 1)])
            }
            guard !sizes.isEmpty, sizes.allSatisfy({ size in (0..<3).allSatisfy { size[$0] <= region[$0] } }) else {
                throw section.error(at: key, "expected boxes that the region of \(region) voxels holds")
            }
            return sizes
        }
        globalBoxes = try boxes(
            "global_boxes",
            [
                scaled(96, 96, 96), scaled(128, 128, 96), scaled(128, 128, 128), scaled(160, 160, 128),
                scaled(160, 160, 160),
            ])
        localBoxes = try boxes("local_boxes", [scaled(32, 32, 32), scaled(64, 64, 32), scaled(64, 64, 64)])
        (self.region, globalExtent) = (region, patch)
        localExtent = try section.extent("local_patch", default: scaled(64, 64, 64))
        smallestOverlap = try section.double("overlap", default: 0.3, in: 0...0.99)
        locals = try section.integer("locals", default: 6, in: 1...100)
        intensityProbability = try section.double("intensity_probability", default: 1, in: 0...1)
    }

    /// Two large boxes: the second is drawn until they overlap enough, and is the first if that does not happen.
    package func globals(_ draws: inout Draws) -> (VoxelBox, VoxelBox) {
        func box() -> VoxelBox {
            let size = globalBoxes[draws.integer(in: globalBoxes.indices)]
            return draws.box(of: size, in: region) ?? VoxelBox(whole: region)
        }
        let first = box()
        for _ in 0..<1000 {
            let second = box()
            if first.overlap(with: second) >= smallestOverlap { return (first, second) }
        }
        return (first, first)
    }

    /// A small box inside the smallest box around two large ones.
    package func local(around boxes: (VoxelBox, VoxelBox), _ draws: inout Draws) -> VoxelBox {
        let lower = (0..<3).map { min(boxes.0[$0].lowerBound, boxes.1[$0].lowerBound) }
        let upper = (0..<3).map { max(boxes.0[$0].upperBound, boxes.1[$0].upperBound) }
        let whole = Extent3(dimensions: zip(lower, upper).map { $1 - $0 })
        let size = localBoxes[draws.integer(in: localBoxes.indices)].zipped(with: whole, min)
        let box = draws.box(of: size, in: whole) ?? VoxelBox(whole: whole)
        return VoxelBox(origin: zip(box.origin, lower).map { $0 + $1 }, extent: size)
    }

    /// The views of a batch of regions.
    public func batch(of regions: PatchBatch, at place: BatchPlace) -> Batch {
        var (globals, target): ([[Patch]], [Patch]) = ([[], []], [])
        var small = [[Patch]](repeating: [], count: locals)
        for sample in 0..<regions.samples {
            let region = regions.patch(sample)
            var draws = place.draws("scale-views", sample: sample)
            let boxes = self.globals(&draws)
            func view(_ number: Int, _ box: VoxelBox, _ extent: Extent3) -> (moved: Patch, changed: Patch) {
                let index = sample * (locals + 2) + number
                var draws = place.draws("scale-motion", sample: index)
                var patch = moved(region.patch(in: box).resizedToNearest(extent), &draws)
                let before = patch
                transforms.apply(to: &patch, seed: place.seed, step: place.step, sample: index)
                return (before, patch)
            }
            let (first, second) = (view(0, boxes.0, globalExtent), view(1, boxes.1, globalExtent))
            globals[0].append(first.changed)
            globals[1].append(second.changed)
            target.append(first.moved)
            for number in 0..<locals {
                small[number].append(view(2 + number, local(around: boxes, &draws), localExtent).changed)
            }
        }
        var draws = place.draws("scale-choices")
        return Batch(
            globals: globals.map { PatchBatch($0, names: regions.names) },
            target: PatchBatch(target, names: regions.names),
            locals: small.map { PatchBatch($0, names: regions.names) },
            choices: (0..<2 * locals + 2).map { _ in draws.uniform() })
    }

    /// Mirrored, turned by up to 10 degrees about each axis and scaled by 0.9 to 1.1.
    private func moved(_ patch: Patch, _ draws: inout Draws) -> Patch {
        var patch = patch
        for axis in 0..<3 where draws.chance(0.5) { patch.mirror(along: axis) }
        let angles = (0..<3).map { _ in draws.uniform(in: -10..<10) }
        let map = SpatialMap(
            rotationDegrees: SIMD3(angles[0], angles[1], angles[2]),
            scale: SIMD3(repeating: draws.uniform(in: 0.9..<1.1)))
        let whole = VoxelBox(whole: patch.extent)
        return (try? patch.patch(patch.extent, in: whole, mappedBy: map)) ?? patch
    }

    private var transforms: TransformList {
        TransformList([
            GaussianNoise(probability: intensityProbability, deviation: 0...0.25),
            GaussianBlur(probability: intensityProbability, channelProbability: 1, sigma: 0.01...2),
            Gamma(probability: intensityProbability, exponent: .uniform(0.75...1.35)),
        ])
    }
}

extension VoxelBox {
    /// The voxels in both boxes over those in either.
    package func overlap(with other: VoxelBox) -> Double {
        let shared = (0..<3).reduce(1) { product, axis in
            let (low, high) = (
                max(self[axis].lowerBound, other[axis].lowerBound), min(self[axis].upperBound, other[axis].upperBound)
            )
            return product * max(0, high - low)
        }
        return Double(shared) / Double(extent.volume + other.extent.volume - shared)
    }
}

extension Patch {
    /// The patch on another grid: each voxel takes the one at `floor(i in / out)`.
    func resizedToNearest(_ target: Extent3) -> Patch {
        let picks = (0..<3).map { axis in (0..<target[axis]).map { $0 * extent[axis] / target[axis] } }
        var result: [Float] = []
        result.reserveCapacity(target.volume)
        for depth in picks[0] {
            for height in picks[1] {
                let row = (depth * extent.height + height) * extent.width
                for width in picks[2] { result.append(image[row + width]) }
            }
        }
        return Patch(image: result, channels: 1, labels: nil, extent: target)
    }
}
