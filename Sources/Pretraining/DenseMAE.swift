import Networks
import Tensors
import Training

/// Masked pre-training of an ordinary dense network: hidden voxels are 0, the mean of the image, and computed like any
/// others.
///
/// The baseline of Wald et al. 2024, arXiv:2410.23132, Table 2a, without its sparse encoder, tokens and densification. With a
/// learned fill value and absolute errors it is what SimMIM (Xie et al. 2022, arXiv:2111.09886) becomes on a convolutional
/// network: an adaptation, its tokens stand behind a transformer's patch embedding.
public struct DenseMAE: PretextMethod {
    /// `mae`.
    public static let name = "mae"

    /// What stands for hidden voxels.
    public enum Fill: String, CaseIterable, Sendable {
        /// 0, the mean of the image.
        case zero
        /// A number that is learned, 0 at first.
        case learned
    }

    /// How blocks are hidden.
    public let masking: BlockMasking
    /// What stands for hidden voxels.
    public let fill: Fill
    /// How the network is judged.
    public let judgement: ReconstructionLoss

    /// Reads `masking`: `block`, which must divide the patch, `ratio` and `fill`; and `loss`: `kind` and `region`.
    /// - Throws: `RecipeError`.
    public init(reading section: RecipeSection, for setup: PretrainingSetup) throws {
        let masked = try section.section("masking")
        masking = try BlockMasking(reading: masked, patch: setup.patch, totalStride: setup.network.totalStride)
        fill = try masked.choice("fill", default: .zero)
        judgement = try ReconstructionLoss(reading: section.section("loss"))
    }

    /// Rebuilding hidden blocks with the U-Net as it is.
    public func task(_ setup: PretrainingSetup, data: PretrainingData, on cpu: CPU) throws
        -> PretextTask<MaskedReconstruction>
    {
        let network = DenseAutoencoder(try setup.unet(on: cpu), fill: fill, on: cpu)
        setup.initializer.initialize(network, seed: setup.seed)
        return PretextTask(
            MaskedReconstruction(network, judgement: judgement, data: data, on: cpu), method: Self.name, setup: setup,
            data: data, views: masking.batch)
    }
}

/// A U-Net whose input is one number in all hidden blocks.
///
/// Parts: those of the U-Net and, where the number is learned, `fill_token` `[1, C, 1, 1, 1]`.
public struct DenseAutoencoder: MaskedAutoencoder {
    /// The network.
    public let unet: UNet
    /// What stands for hidden voxels, if it is learned.
    public let token: Parameter?

    /// An autoencoder that is little but `unet`.
    public init(_ unet: UNet, fill: DenseMAE.Fill = .zero, on cpu: CPU) {
        let channels = unet.plan.inputChannels
        self.unet = unet
        token =
            fill == .zero
            ? nil
            : Parameter(
                pytorchShape: [1, channels, 1, 1, 1], layout: .plain, scalars: [Float](repeating: 0, count: channels),
                on: cpu)
    }

    /// The U-Net's, and the token.
    public var members: [Member] { unet.members + (token.map { [.parameter("fill_token", $0)] } ?? []) }

    /// The rebuilt volume.
    public func callAsFunction(_ x: Tensor, mask: BlockMask, in phase: Phase) -> Tensor {
        let fill = token?.tensor(in: phase) ?? Tensor(zeros: [x.shape.channels], on: x.cpu)
        return unet(fillHidden(hide(x, mask), token: fill), outputs: 1, in: phase)[0]
    }
}
