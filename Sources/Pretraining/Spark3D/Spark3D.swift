import Networks
import Tensors
import Training

/// Masked pre-training in which the encoder works on visible blocks only (S3D).
///
/// A block is one voxel of the bottleneck, so that it is hidden at every resolution. Wald et al. 2024, arXiv:2410.23132;
/// the public code's smaller blocks are visible at the bottleneck.
public struct Spark3D: PretextMethod {
    /// `s3d`.
    public static let name = "s3d"

    /// How blocks are hidden.
    public let masking: BlockMasking
    /// What is switched on.
    public let parts: Spark3DParts
    /// How the network is judged.
    public let judgement: ReconstructionLoss

    /// Reads `masking`: `block`, a multiple of the network's total stride unless `visible_bottleneck`, and `ratio`; the
    /// switches of ``Spark3DParts``; and `loss`: `kind` and `region`.
    /// - Throws: `RecipeError`.
    public init(reading section: RecipeSection, for setup: PretrainingSetup) throws {
        let masked = try section.section("masking")
        let visibleBottleneck = try masked.bool("visible_bottleneck", default: false)
        masking = try BlockMasking(
            reading: masked, patch: setup.patch, totalStride: setup.network.totalStride,
            coversBottleneck: !visibleBottleneck)
        parts = try Spark3DParts(reading: section)
        judgement = try ReconstructionLoss(reading: section.section("loss"))
    }

    /// Rebuilding hidden blocks with a ``Spark3DNetwork``.
    public func task(_ setup: PretrainingSetup, data: PretrainingData, on cpu: CPU) throws
        -> PretextTask<MaskedReconstruction>
    {
        let network = Spark3DNetwork(try setup.unet(on: cpu), parts: parts, on: cpu)
        network.initialize(setup.initializer, seed: setup.seed)
        return PretextTask(
            MaskedReconstruction(network, judgement: judgement, data: data, on: cpu), method: Self.name, setup: setup,
            data: data, views: masking.batch)
    }
}

extension Spark3DNetwork: MaskedAutoencoder {}
