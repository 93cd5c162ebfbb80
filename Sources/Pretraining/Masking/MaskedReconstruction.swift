import Networks
import Tensors
import Training

/// A network that rebuilds the hidden blocks of a volume from the visible ones.
public protocol MaskedAutoencoder: Module {
    /// What is pre-trained.
    var unet: UNet { get }

    /// The rebuilt volume.
    /// - Parameters:
    ///   - x: `[N, D, H, W, C]`; no value of a hidden voxel may have any influence.
    ///   - mask: which blocks are visible.
    /// - Returns: `[N, D, H, W, C]`, dense.
    func callAsFunction(_ x: Tensor, mask: BlockMask, in phase: Phase) -> Tensor
}

/// Learning to rebuild hidden blocks, by default with the loss
/// `sum over hidden voxels of (rebuilt - x)² / number of hidden voxels of the batch`.
///
/// The target is the patch itself, in units of its image's standard deviation: guessing the mean scores about 1.
public struct MaskedReconstruction: PretextLearner {
    /// Patches, and which blocks of them are visible.
    public struct Batch: Sendable {
        /// The whole patches.
        public var patches: PatchBatch
        /// The blocks that the network sees.
        public var mask: BlockMask
    }

    /// The network.
    public let autoencoder: any MaskedAutoencoder
    /// How it is judged.
    public let judgement: ReconstructionLoss
    private let hasExcludedVoxels: Bool
    private let cpu: CPU

    /// A learner around a network.
    /// - Parameter data: what it will see.
    public init(
        _ autoencoder: any MaskedAutoencoder, judgement: ReconstructionLoss, data: PretrainingData? = nil, on cpu: CPU
    ) {
        (self.autoencoder, self.judgement, self.cpu) = (autoencoder, judgement, cpu)
        hasExcludedVoxels = data.map { $0.training.contains { $0.source.isLabeled } } ?? false
    }

    /// The network's.
    public var members: [Member] { autoencoder.members }

    /// The U-Net alone.
    public var result: any Module { autoencoder.unet }

    /// Nothing, as long as all samples have equally many hidden voxels that count.
    public var undividedBecause: String? {
        hasExcludedVoxels
            ? "voxels that anonymization removed do not count, and samples differ in how many they have" : nil
    }

    /// The error of what is rebuilt.
    public func loss(_ batch: Batch, in phase: Phase) -> StepLoss {
        let x = batch.patches.input(on: cpu)
        let rebuilt = autoencoder(x, mask: batch.mask, in: phase)
        return StepLoss(
            total: judgement(rebuilt, target: x, mask: batch.mask, excluded: batch.patches.excluded),
            cases: batch.patches.names)
    }

    /// Slices as they are, as the encoder sees them, and with hidden blocks rebuilt.
    public func previews(of batch: Batch) -> [Preview] {
        let (original, extent) = (batch.patches.voxels, batch.patches.extent)
        let seen = batch.mask.voxels(in: extent)
        let rebuilt = autoencoder(batch.patches.input(on: cpu), mask: batch.mask, in: .inference).channelsFirst
        return batch.patches.names.enumerated().map { sample, name in
            let painter = SlicePainter(extent, showing: batch.patches.patch(sample).image)
            func picture(hidden: (Int) -> Float) -> Picture {
                painter.picture(original.indices.map { seen[$0] == 1 ? original[$0] : hidden($0) }, sample: sample)
            }
            return Preview(
                title: "\(name): original, masked, hidden blocks rebuilt (slice \(painter.slice) of the patch)",
                images: [
                    picture { original[$0] }, picture { _ in painter.range.lowerBound }, picture { rebuilt[$0] },
                ])
        }
    }
}

extension BlockMasking {
    /// Patches with the mask of their step.
    func batch(of patches: PatchBatch, at place: BatchPlace) -> MaskedReconstruction.Batch {
        .init(patches: patches, mask: mask(samples: patches.indices, seed: place.seed, step: place.step))
    }
}
