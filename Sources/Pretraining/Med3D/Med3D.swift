import Networks
import Tensors
import Training
import Volumes

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
    public enum Backbone: Hashable, Sendable {
        /// The encoder of the ResEnc U-Net, as in all other methods.
        case resEnc
        /// The paper's ResNets, whose last two stages are dilated.
        case resNet(ResNetShape)
    }

    /// What the encoder is made of.
    public let backbone: Backbone

    /// Reads `branches`: `backbone`, and of a ResNet the `width` of its stem.
    /// - Throws: `RecipeError`.
    public init(reading section: RecipeSection, for setup: PretrainingSetup) throws {
        let branches = try section.section("branches")
        let depths = ResNetShape.Depth.allCases
        let names = depths.map { "resnet-\($0.rawValue)" }
        let name = try branches.choice("backbone", among: ["resenc"] + names, default: "resenc")
        guard let index = names.firstIndex(of: name) else {
            backbone = .resEnc
            return
        }
        var shape = ResNetShape(depths[index])
        shape.width = try branches.integer("width", default: shape.width, in: 1...1024)
        backbone = .resNet(shape)
    }

    /// Training an encoder with a branch for each domain of `data`.
    /// - Throws: `NetworkPlanError` for a patch that does not suit the backbone.
    public func task(_ setup: PretrainingSetup, data: PretrainingData, on cpu: CPU) throws -> PretextTask<
        DomainBranches
    > {
        var setup = setup
        if case .resNet(let shape) = backbone {
            setup.network = NetworkPlan(encoder: shape, outputChannels: 1)
            try setup.network.check(extent: setup.patch)
        }
        // Each dataset keeps the median voxel size of its own images.
        (setup.spacingMM, setup.normalization) = ([0, 0, 0], [Normalization.clippedZScore.cardName])
        let learner = DomainBranches(
            try setup.unet(on: cpu).encoder, channels: setup.network.features[setup.network.stages - 1],
            domains: data.domains, on: cpu)
        setup.initializer.initialize(learner, seed: setup.seed)
        return PretextTask(learner, method: Self.name, setup: setup, data: data) { patches, _ in patches }
    }
}
