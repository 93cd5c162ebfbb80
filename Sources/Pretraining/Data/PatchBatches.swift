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

    /// The number of patches.
    public var samples: Int { names.count }

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
        var batch = PatchBatch(voxels: [], extent: cutter.sampling.patch, names: [])
        for sample in 0..<samples {
            let image = images[PatchSampling.image(of: images.count, seed: seed, step: step, sample: sample)]
            batch.voxels += try cutter.patch(
                from: image.source, foreground: nil, seed: seed, step: step, sample: sample, batch: samples
            ).image
            batch.names.append(image.name)
        }
        return batch
    }
}
