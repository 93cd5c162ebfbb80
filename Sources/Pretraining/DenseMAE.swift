import Networks
import Tensors
import Training

/// Masked pre-training of an ordinary dense network: hidden voxels are 0, the mean of the image, and computed like any
/// others.
///
/// The baseline of Wald et al. 2024, arXiv:2410.23132, Table 2a, without its sparse encoder, tokens and densification.
public struct DenseMAE: PretextMethod {
    /// `mae`.
    public static let name = "mae"

    /// How blocks are hidden.
    public let masking: BlockMasking

    /// Reads `masking`: `block`, which must divide the patch, and `ratio`.
    /// - Throws: `RecipeError`.
    public init(reading section: RecipeSection, for setup: PretrainingSetup) throws {
        masking = try BlockMasking(
            reading: section.section("masking"), patch: setup.patch, totalStride: setup.network.totalStride,
            blockIsStride: false)
    }

    /// Rebuilding hidden blocks with the U-Net as it is.
    public func task(_ setup: PretrainingSetup, data: PretrainingData, on cpu: CPU) throws -> MaskedReconstruction {
        let network = DenseAutoencoder(unet: try UNet(setup.network, on: cpu))
        setup.initializer.initialize(network, seed: setup.seed)
        return MaskedReconstruction(network, masking: masking, method: Self.name, setup: setup, data: data, on: cpu)
    }
}

/// A U-Net whose input is 0 in hidden blocks.
public struct DenseAutoencoder: MaskedAutoencoder {
    /// The network.
    public let unet: UNet

    /// An autoencoder that is nothing but `unet`.
    public init(unet: UNet) { self.unet = unet }

    /// The U-Net's.
    public var members: [Member] { unet.members }

    /// The rebuilt volume.
    public func callAsFunction(_ x: Tensor, mask: BlockMask, in phase: Phase) -> Tensor {
        let zero = Tensor(zeros: [x.shape.channels], on: x.cpu)
        return unet(fillHidden(hide(x, mask), token: zero), outputs: 1, in: phase)[0]
    }
}
