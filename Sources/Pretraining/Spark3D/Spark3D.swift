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

    /// Reads `masking`: `block`, which must be the network's total stride, and `ratio`.
    /// - Throws: `RecipeError`.
    public init(reading section: RecipeSection, for setup: PretrainingSetup) throws {
        masking = try BlockMasking(
            reading: section.section("masking"), patch: setup.patch, totalStride: setup.network.totalStride,
            blockIsStride: true)
    }

    /// Rebuilding hidden blocks with a ``Spark3DNetwork``.
    public func task(_ setup: PretrainingSetup, data: PretrainingData, on cpu: CPU) throws -> MaskedReconstruction {
        let network = Spark3DNetwork(try UNet(setup.network, on: cpu), on: cpu)
        network.initialize(setup.initializer, seed: setup.seed)
        return MaskedReconstruction(network, masking: masking, method: Self.name, setup: setup, data: data, on: cpu)
    }
}

extension Spark3DNetwork: MaskedAutoencoder {}
