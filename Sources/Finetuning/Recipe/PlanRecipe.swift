import Networks
import Tensors
import Training
import Volumes

/// How images are preprocessed, what the network looks like and what it sees at once: a fixed plan made of a few numbers,
/// a plan file, or a plan that follows from the dataset.
public struct PlanRecipe: Sendable, Hashable {
    /// Whose spacing and normalization the images get.
    public enum Preprocessing: String, Sendable, Hashable, CaseIterable {
        /// Those of the plan.
        case likeDataset = "like-dataset"
        /// Those of the pre-trained weights, where a run starts from some.
        case likePretrained = "like-pretrained"
    }

    /// A plan that `warmstart plan` wrote; nil for the fixed plan of the other numbers.
    public var file: String?
    /// A plan that follows from the dataset instead.
    public var dynamic: DynamicPlanRecipe?
    /// The size of a voxel along depth, height and width.
    public var spacingMM: [Double]
    /// Whether pre-trained weights decide spacing and normalization instead.
    public var preprocessing: Preprocessing
    /// What the network sees at once.
    public var patch: Extent3
    /// Patches per step.
    public var batch: Int
    /// The network.
    public var preset: NetworkPreset
    /// What normalizes feature maps; a plan file has its own.
    public var norm: NetworkTopology.Norm
    /// How weights start that are not pre-trained.
    public var initializer: Initializer

    /// Reads the section `plan`. The defaults are the S3D study's fixed plan.
    /// - Throws: ``RecipeError``.
    init(reading section: RecipeSection) throws {
        initializer = try section.choice("initializer", default: .he)
        preprocessing = try section.choice("preprocessing", default: .likeDataset)
        norm = try section.choice("norm", default: .instance)
        (spacingMM, patch, batch, preset) = ([1, 1, 1], 160, 2, .l)
        if try section.choice("kind", among: ["fixed", "dynamic"], default: "fixed") == "dynamic" {
            dynamic = try DynamicPlanRecipe(reading: section)
            return
        }
        file = try section.optionalString("file")
        spacingMM = try section.doubles("spacing_mm", default: [1, 1, 1], count: 3, in: 0.001...1000)
        patch = try section.extent("patch", default: 160)
        batch = try section.integer("batch", default: 2, in: 1...4096)
        preset = try section.choice("preset", default: .l)
        let divisors = network.divisors
        guard file != nil || (0..<3).allSatisfy({ patch[$0] % divisors[$0] == 0 }) else {
            throw section.error(
                at: "patch", "\(preset.rawValue) needs a patch whose sizes are multiples of \(divisors), got \(patch)")
        }
    }

    /// The plan for a dataset.
    /// - Throws: ``PlanError`` for a file that cannot be used; ``FinetuneError`` for one of other channels or classes;
    ///   errors of the images that a dynamic plan looks at.
    public func plan(for dataset: NNUNetDataset, on cpu: CPU) throws -> Plan {
        if let dynamic {
            var plan = try dynamic.plan(for: dataset, on: cpu)
            plan.network.norm = norm == .instance ? nil : norm
            return plan
        }
        guard let file else {
            return Plan.fixed(
                channelNames: dataset.channelNames, outputChannels: dataset.outputChannels, patch: patch, batch: batch,
                network: network, spacingMM: spacingMM)
        }
        let plan = try Plan(contentsOf: file)
        guard plan.channels.count == dataset.channelNames.count, plan.outputChannels == dataset.outputChannels else {
            throw FinetuneError.otherPlan(
                file: file, channels: plan.channels.count, classes: plan.outputChannels, dataset: dataset)
        }
        return plan
    }

    private var network: NetworkTopology {
        let plan = preset.plan(outputChannels: 1)
        var topology = NetworkTopology(
            architecture: .residual, features: plan.features, strides: plan.strides, kernels: plan.kernels,
            blocks: plan.blocks, decoderConvolutions: plan.decoderConvolutions.reversed())
        topology.norm = norm == .instance ? nil : norm
        return topology
    }
}
