import Networks
import Tensors
import Training

/// A U-Net that restores images from deformed ones: the mean squared error over all voxels, changed or not.
public struct Restoration: PretextLearner {
    /// Deformed patches, and what they were.
    public struct Batch: Sendable {
        /// What the network sees.
        public var deformed: PatchBatch
        /// What it must produce.
        public var original: PatchBatch

        /// A batch of pairs.
        public init(deformed: PatchBatch, original: PatchBatch) {
            (self.deformed, self.original) = (deformed, original)
        }
    }

    /// What is pre-trained.
    public let unet: UNet
    private let cpu: CPU

    /// A learner that is nothing but `unet`.
    public init(_ unet: UNet, on cpu: CPU) { (self.unet, self.cpu) = (unet, cpu) }

    /// The U-Net's.
    public var members: [Member] { unet.members }

    /// The U-Net.
    public var result: any Module { unet }

    /// Nothing: all samples have equally many voxels.
    public var undividedBecause: String? { nil }

    /// `mean over all voxels of (restored - original)²`.
    public func loss(_ batch: Batch, in phase: Phase) -> StepLoss {
        let restored = unet(batch.deformed.input(on: cpu), outputs: 1, in: phase)[0]
        return StepLoss(
            total: squaredError(restored, target: batch.original.input(on: cpu)), cases: batch.original.names)
    }

    /// Deformed, original and restored slices.
    public func previews(of batch: Batch) -> [Preview] {
        let restored = unet(batch.deformed.input(on: cpu), outputs: 1, in: .inference)[0].channelsFirst
        return batch.original.names.enumerated().map { sample, name in
            let painter = SlicePainter(batch.original.extent, showing: batch.original.patch(sample).image)
            return Preview(
                title: "\(name): deformed, original, restored (slice \(painter.slice) of the patch)",
                images: [batch.deformed.voxels, batch.original.voxels, restored].map {
                    painter.picture($0, sample: sample)
                })
        }
    }
}
