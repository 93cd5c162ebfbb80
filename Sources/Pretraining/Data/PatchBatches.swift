import Augmentation
import Tensors
import Training
import Volumes

/// Patches of images without labels that go through the network together.
public struct PatchBatch: Sendable {
    /// The intensities, `[N, 1, D, H, W]`.
    public var voxels: [Float]
    /// The size of a patch.
    public var extent: Extent3
    /// The images that the patches come from, one per sample.
    public var names: [String]
    /// Voxels from which anonymization removed content, `[N, D, H, W]`; nil where there are none. No loss may count them.
    public var excluded: [Bool]?

    /// Patches of one channel and one size.
    public init(_ patches: [Patch], names: [String]) {
        check(
            patches.count == names.count && patches.allSatisfy { $0.channels == 1 && $0.extent == patches[0].extent },
            "a batch wants patches of one channel and one size")
        voxels = patches.flatMap(\.image)
        (extent, self.names) = (patches[0].extent, names)
        guard patches.contains(where: { $0.labels?.contains(RegionLabel.anonymized) ?? false }) else { return }
        excluded = patches.flatMap { patch in
            patch.labels.map { $0.map { $0 == RegionLabel.anonymized } }
                ?? [Bool](repeating: false, count: patch.extent.volume)
        }
    }

    /// The number of patches.
    public var samples: Int { names.count }

    /// One patch.
    public func patch(_ sample: Int) -> Patch {
        let volume = extent.volume
        return Patch(
            image: Array(voxels[sample * volume..<(sample + 1) * volume]), channels: 1, labels: nil, extent: extent)
    }

    /// The patches as a feature map `[N, D, H, W, 1]`.
    public func input(on cpu: CPU) -> Tensor {
        Tensor(channelsFirst: voxels, samples: samples, channels: 1, extent: extent, on: cpu)
    }
}

/// Batches of patches, drawn with replacement from images that are all equally likely, whatever they show.
public struct PatchBatches: BatchSource {
    /// The images to draw from.
    public var images: [PretrainingData.Image]
    /// How patches are cut and changed. What lies beyond an image is 0.
    public var cutter: PatchCutter
    /// Patches per step.
    public var samples: Int
    /// Decides everything that is drawn.
    public var seed: UInt64

    /// Batches of `samples` patches of `images`.
    public init(of images: [PretrainingData.Image], cutter: PatchCutter, samples: Int, seed: UInt64) {
        check(!images.isEmpty, "batches want at least one image")
        (self.images, self.cutter, self.samples, self.seed) = (images, cutter, samples, seed)
    }

    /// The batch of a step.
    /// - Throws: `StoreError` if an image of a store cannot be read.
    public func batch(step: Int) throws -> PatchBatch {
        let chosen = (0..<samples).map { sample in
            images[PatchSampling.image(of: images.count, seed: seed, step: step, sample: sample)]
        }
        let patches = try chosen.enumerated().map { sample, image in
            try cutter.patch(
                from: image.source, foreground: image.anatomy, seed: seed, step: step, sample: sample, batch: samples)
        }
        return PatchBatch(patches, names: chosen.map(\.name))
    }
}
