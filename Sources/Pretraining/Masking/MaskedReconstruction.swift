import Augmentation
import Networks
import Tensors
import Training
import WeightFiles

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

/// Learning to rebuild hidden blocks: `sum over hidden voxels of (rebuilt - x)² / number of hidden voxels of the batch`.
///
/// The target is the patch itself, in units of its image's standard deviation: guessing the mean scores about 1.
public struct MaskedReconstruction: TrainingTask {
    /// The network.
    public let autoencoder: any MaskedAutoencoder
    /// How blocks are hidden.
    public let masking: BlockMasking
    /// The patches of every step.
    public let batches: PatchBatches
    /// What the weights are good for.
    public let card: TransferCard
    private let seed: UInt64
    private let judges: PatchBatches?
    private let validationBatches: Int
    private let cpu: CPU

    /// The same patches and masks in every validation of every run, so that runs compare.
    private static let validationSeed: UInt64 = 12_345

    /// A task of the method called `method`.
    public init(
        _ autoencoder: any MaskedAutoencoder, masking: BlockMasking, method: String, setup: PretrainingSetup,
        data: PretrainingData, on cpu: CPU
    ) {
        (self.autoencoder, self.masking, self.cpu) = (autoencoder, masking, cpu)
        (seed, validationBatches) = (setup.seed, setup.validationBatches)
        batches = PatchBatches(of: data.training, cutter: setup.cutter, samples: setup.batch, seed: setup.seed)
        judges =
            data.validation.isEmpty
            ? nil
            : PatchBatches(
                of: data.validation, cutter: .plain(patch: setup.patch, oversampling: .probability(0)),
                samples: setup.batch, seed: Self.validationSeed)
        card = setup.card(method: method)
    }

    /// The network with all that the method adds.
    public var network: any Module { autoencoder }

    /// The U-Net alone: what fine-tuning starts from, and what other frameworks' loaders accept.
    public var result: any Module { autoencoder.unet }

    /// The mean squared error of hidden voxels.
    public func loss(_ batch: PatchBatch, step: Int) -> StepLoss {
        StepLoss(total: error(of: batch, seed: seed, step: step, in: .training), cases: batch.names)
    }

    /// The same error on unseen images, with patches and masks that never change.
    public func validate(step: Int) throws -> [String: Double] {
        guard let judges, validationBatches > 0 else { return [:] }
        let total = try (0..<validationBatches).reduce(0.0) { sum, index in
            let batch = try judges.batch(step: index)
            return sum + Double(error(of: batch, seed: Self.validationSeed, step: index, in: .inference).item)
        }
        return ["validation loss": total / Double(validationBatches)]
    }

    /// Slices through the middle of up to three images.
    public func previews(step: Int) throws -> [Preview] {
        try (judges ?? batches).images.prefix(3).map { image in
            try ReconstructionPreview(of: image, masking: masking, seed: Self.validationSeed, on: cpu)
                .preview(by: autoencoder)
        }
    }

    private func error(of batch: PatchBatch, seed: UInt64, step: Int, in phase: Phase) -> Tensor {
        let (x, mask) = (batch.input(on: cpu), masking.mask(samples: batch.samples, seed: seed, step: step))
        return hiddenSquaredError(autoencoder(x, mask: mask, in: phase), target: x, mask: mask)
    }
}
