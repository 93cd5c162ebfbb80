import Networks
import Tensors
import Training

/// Restoring patches whose texture, shades and parts were changed. Zhou et al. 2019, arXiv:1908.06912; settings of the
/// comparison in Wald et al. 2024, arXiv:2410.23132.
public struct ModelsGenesis: PretextMethod {
    /// `genesis`.
    public static let name = "genesis"

    /// No augmentation but the deformation itself.
    public static let defaults = PretextDefaults(augmentation: .none)

    /// What happens to a patch.
    public let deformation: GenesisDeformation

    /// Reads `deformation`.
    /// - Throws: `RecipeError`.
    public init(reading section: RecipeSection, for setup: PretrainingSetup) throws {
        deformation = try GenesisDeformation(reading: section.section("deformation"))
    }

    /// Restoring with the U-Net as it is.
    public func task(_ setup: PretrainingSetup, data: PretrainingData, on cpu: CPU) throws -> PretextTask<Restoration> {
        let learner = Restoration(try setup.unet(on: cpu), on: cpu)
        setup.initializer.initialize(learner, seed: setup.seed)
        return PretextTask(learner, method: Self.name, setup: setup, data: data, views: deformation.batch)
    }
}
