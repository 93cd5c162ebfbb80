import Augmentation
import Tensors
import Training
import Volumes

/// A preprocessed image with the class that it has as a whole, kept in memory.
public struct ClassifiedCase: Sendable {
    /// The case's name.
    public let name: String
    /// The middle of the image.
    public let image: Patch
    /// The class, counted from 0.
    public let label: Int

    /// An image that is read from its files and preprocessed.
    /// - Parameter extent: how much of its middle is kept; zeros where the image is smaller.
    /// - Throws: ``NIfTIError``, ``DatasetError``, ``PreprocessingError``.
    public init(_ files: DatasetCase, label: Int, keeping extent: Extent3, plan: Plan, on cpu: CPU) throws {
        let prepared = try plan.preprocessing(files.readImage(channelNames: plan.channels.map(\.name)), on: cpu)
        self.init(name: files.name, image: Patch(middle: extent, of: prepared), label: label)
    }

    /// An image in memory.
    public init(name: String, image: Patch, label: Int) { (self.name, self.image, self.label) = (name, image, label) }
}

extension Patch {
    /// The `extent` voxels in the middle of a preprocessed image; zeros where the image is smaller.
    init(middle extent: Extent3, of prepared: PreprocessedCase) {
        let whole = Patch(
            image: prepared.voxels, channels: prepared.channelNames.count, labels: nil, extent: prepared.extent)
        self = whole.patch(in: VoxelBox(whole: whole.extent).centered(extent))
    }
}

/// Images with their classes that go through the network together.
public struct ClassificationBatch: Sendable {
    /// The intensities, `[N, C, D, H, W]`.
    public var images: [Float] = []
    /// The number of input channels.
    public var channels = 1
    /// The number of voxels of each.
    public var extent: Extent3
    /// The classes, `[N]`.
    public var labels: [Int32] = []
    /// The cases.
    public var cases: [String] = []

    /// The input of the network, `[N, D, H, W, C]`.
    func input(on cpu: CPU) -> Tensor {
        Tensor(channelsFirst: images, samples: labels.count, channels: channels, extent: extent, on: cpu)
    }

    /// The classes as maps of one voxel.
    var labelMap: LabelMap { LabelMap(samples: labels.count, extent: 1, labels: labels) }
}

/// The batches of a training: each a pure function of the step. Every sample is the middle of an image, turned, scaled and
/// changed as the cutter says.
public struct ClassificationBatches: BatchSource {
    /// The cases to draw from, each equally likely.
    public var cases: [ClassifiedCase]
    /// How patches are augmented; it cuts all of them from the middle.
    public let cutter: PatchCutter
    /// Images per step.
    public var batchSize: Int
    /// Decides everything that is drawn.
    public var seed: UInt64

    /// Batches of `batchSize` of the cases.
    /// - Throws: ``SegmentationError/noTrainingCases``.
    public init(of cases: [ClassifiedCase], cutter: PatchCutter, batchSize: Int, seed: UInt64) throws {
        guard !cases.isEmpty else { throw SegmentationError.noTrainingCases }
        (self.cases, self.batchSize, self.seed) = (cases, batchSize, seed)
        var cutter = cutter
        cutter.sampling.oversampling = .share(1)
        self.cutter = cutter
    }

    /// Images of a step.
    public var samplesPerStep: Int { batchSize }

    /// Some samples of a step.
    public func batch(step: Int, samples: Range<Int>) throws -> ClassificationBatch {
        var batch = ClassificationBatch(extent: cutter.sampling.patch)
        for sample in samples {
            let chosen = cases[PatchSampling.image(of: cases.count, seed: seed, step: step, sample: sample)]
            let patch = try cutter.patch(
                from: chosen.image, foreground: .middle(of: chosen.image.extent), seed: seed, step: step,
                sample: sample, batch: batchSize)
            batch.images += patch.image
            batch.channels = patch.channels
            batch.labels.append(Int32(chosen.label))
            batch.cases.append(chosen.name)
        }
        return batch
    }
}

extension ForegroundVoxels {
    /// The middle voxel alone: patches drawn around it are those of the middle.
    fileprivate static func middle(of extent: Extent3) -> ForegroundVoxels {
        let voxel = (extent.depth / 2 * extent.height + extent.height / 2) * extent.width + extent.width / 2
        return ForegroundVoxels(classes: [Class(label: 1, voxels: [Int32(voxel)])])
    }
}
