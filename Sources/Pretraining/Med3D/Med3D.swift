import Networks
import Tensors
import Training

/// Supervised pre-training on several labeled datasets at once: one encoder, and a light branch for each dataset. Chen, Ma and
/// Zheng 2019, arXiv:1904.00625.
public struct Med3D: PretextMethod {
    /// `med3d`.
    public static let name = "med3d"

    /// Mirrored.
    public static let defaults = PretextDefaults(augmentation: .mirrored)

    /// Each source is a labeled dataset.
    public static let needsLabels = true

    /// What the encoder is made of.
    public enum Backbone: String, CaseIterable, Sendable {
        /// The encoder of the ResEnc U-Net, as in all other methods.
        case resEnc = "resenc"
    }

    /// What the encoder is made of.
    public let backbone: Backbone

    /// Reads `branches`: `backbone`.
    /// - Throws: `RecipeError`.
    public init(reading section: RecipeSection, for setup: PretrainingSetup) throws {
        backbone = try section.section("branches").choice("backbone", default: .resEnc)
    }

    /// Training an encoder with a branch for each domain of `data`.
    public func task(_ setup: PretrainingSetup, data: PretrainingData, on cpu: CPU) throws -> PretextTask<
        DomainBranches
    > {
        let encoder: any UNetEncoder =
            switch backbone {
            case .resEnc: ResEncEncoder(setup.network, on: cpu)
            }
        let learner = DomainBranches(
            encoder, channels: setup.network.features[setup.network.stages - 1], domains: data.domains, on: cpu)
        setup.initializer.initialize(learner, seed: setup.seed)
        return PretextTask(learner, method: Self.name, setup: setup, data: data) { patches, _ in patches }
    }
}
