import Networks
import Tensors
import Training

/// Telling from a blended patch how much of its foreground each voxel holds: a segmentation without labels.
public struct FusionSegmentation: PretextLearner {
    /// Blended patches and the levels of their voxels.
    public struct Batch: Sendable {
        /// What the network sees.
        public var fused: PatchBatch
        /// What it must tell.
        public var levels: LabelMap
    }

    /// What is pre-trained; a class for each level.
    public let unet: UNet
    private let cpu: CPU

    /// A learner that is nothing but `unet`.
    public init(_ unet: UNet, on cpu: CPU) { (self.unet, self.cpu) = (unet, cpu) }

    /// The U-Net's.
    public var members: [Member] { unet.members }

    /// The U-Net. Its head has a class for each level and is not transferred.
    public var result: any Module { unet }

    /// Nothing: all samples have equally many voxels.
    public var undividedBecause: String? { nil }

    /// Cross-entropy minus the mean soft Dice of all levels of each sample.
    public func loss(_ batch: Batch, in phase: Phase) -> StepLoss {
        let logits = unet(batch.fused.input(on: cpu), outputs: 1, in: phase)[0]
        let entropy = crossEntropy(logits, labels: batch.levels)
        let dice = softDice(logits, labels: batch.levels, batchDice: false, includeBackground: true, smooth: 1e-5)
        return StepLoss(
            total: add(entropy, dice), parts: ["cross_entropy": Double(entropy.item), "dice": Double(dice.item)],
            cases: batch.fused.names)
    }

    /// Blended slices, their levels, and the levels that the network tells.
    public func previews(of batch: Batch) -> [Preview] {
        let logits = unet(batch.fused.input(on: cpu), outputs: 1, in: .inference)[0]
        let told = logits.largestChannels.map(Float.init)
        let painter = SlicePainter(batch.fused.extent, range: 0...Float(logits.shape.channels - 1))
        return batch.fused.names.enumerated().map { sample, name in
            let image = SlicePainter(batch.fused.extent, showing: batch.fused.patch(sample).image)
            return Preview(
                title: "\(name): blended, levels, levels as told (slice \(image.slice) of the patch)",
                images: [
                    image.picture(batch.fused.voxels, sample: sample),
                    painter.picture(batch.levels.labels.map(Float.init), sample: sample),
                    painter.picture(told, sample: sample),
                ])
        }
    }
}

extension Tensor {
    /// The channel of the largest element of each voxel, `[N, D, H, W]`; the first of equal ones.
    var largestChannels: [Int] {
        let channels = shape.channels
        return withScalars { scalars in
            (0..<scalars.count / channels).map { voxel in
                (1..<channels).reduce(0) { best, channel in
                    scalars[voxel * channels + channel] > scalars[voxel * channels + best] ? channel : best
                }
            }
        }
    }
}
