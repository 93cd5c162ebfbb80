import Augmentation
import Tensors
import Training
import Volumes

/// A grid of base crops that fill a volume, and crops at random places, with how much of each base they hold. Wu et al. 2024
/// (VoCo), arXiv:2402.17300.
public struct CropPositions: Hashable, Sendable {
    /// Base crops along each axis.
    public var grid: Extent3
    /// Voxels of a crop along each axis.
    public var crop: Extent3
    /// Crops at random places per volume.
    public var targets: Int

    /// Crops and their places.
    public struct Batch: Sendable {
        /// The base crops of all volumes, volume by volume, in the order of the grid; then their target crops, volume by volume.
        public var crops: PatchBatch
        /// The number of volumes.
        public var volumes: Int
        /// The share of each target crop that lies in each base crop of its volume, `[volumes * targets][bases]`.
        public var overlaps: [[Double]]

        /// A batch of crops.
        public init(crops: PatchBatch, volumes: Int, overlaps: [[Double]]) {
            (self.crops, self.volumes, self.overlaps) = (crops, volumes, overlaps)
        }
    }

    /// Reads `grid` and `targets`; the defaults are the S3D study's.
    /// - Throws: `RecipeError`.
    init(reading section: RecipeSection, crop: Extent3) throws {
        grid = try section.extent("grid", default: Extent3(depth: 3, height: 3, width: 1))
        guard grid.volume > 1 else {
            throw section.error(at: "grid", "expected at least two base crops, such as [2, 2, 1]")
        }
        self.crop = crop
        targets = try section.integer("targets", default: 5, in: 1...1000)
    }

    /// Crops of `crop` voxels.
    public init(grid: Extent3, crop: Extent3, targets: Int) {
        (self.grid, self.crop, self.targets) = (grid, crop, targets)
    }

    /// What the grid covers.
    public var volume: Extent3 { grid.zipped(with: crop, *) }

    /// The base crops, depth slowest.
    public var bases: [VoxelBox] {
        (0..<grid.volume).map { index in
            let place = [index / (grid.height * grid.width), index / grid.width % grid.height, index % grid.width]
            return VoxelBox(origin: (0..<3).map { place[$0] * crop[$0] }, extent: crop)
        }
    }

    /// The share of a crop that lies in each base.
    public func overlaps(of target: VoxelBox) -> [Double] {
        bases.map { base in
            let shared = (0..<3).map { axis in
                max(
                    0,
                    min(base[axis].upperBound, target[axis].upperBound)
                        - max(base[axis].lowerBound, target[axis].lowerBound))
            }
            return Double(shared.reduce(1, *)) / Double(crop.volume)
        }
    }

    /// The crops of all volumes of a batch. Overlaps are those of the crops as they are cut; in training each crop is then
    /// changed in its own way.
    public func batch(of volumes: PatchBatch, at place: BatchPlace) -> Batch {
        var (bases, targets): ([Patch], [Patch]) = ([], [])
        var overlaps: [[Double]] = []
        for sample in 0..<volumes.samples {
            let volume = volumes.patch(sample)
            bases += self.bases.map { volume.patch(in: $0) }
            var draws = place.draws("crop-positions", sample: sample)
            for _ in 0..<self.targets {
                guard let box = draws.box(of: crop, in: self.volume) else { continue }
                targets.append(volume.patch(in: box))
                overlaps.append(self.overlaps(of: box))
            }
        }
        let changed = (bases + targets).enumerated().map { index, crop in
            var crop = crop
            if place.phase == .training {
                TransformList.crops.apply(to: &crop, seed: place.seed, step: place.step, sample: index)
            }
            return crop
        }
        func repeated(_ count: Int) -> [String] {
            volumes.names.flatMap { [String](repeating: $0, count: count) }
        }
        return Batch(
            crops: PatchBatch(changed, names: repeated(grid.volume) + repeated(self.targets)),
            volumes: volumes.samples, overlaps: overlaps)
    }
}
