import Networks
import Segmentation
import Tensors
import Training
import Volumes
import WeightFiles

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
    public var network: NetworkChoice
    /// What stands behind the encoder; nil for nnU-Net's decoder.
    public var head: NetworkPlan.Head?
    /// What normalizes feature maps; a plan file and other tools' networks have their own.
    public var norm: NormKind
    /// How weights start that are not pre-trained.
    public var initializer: Initializer

    /// Reads the section `plan`. The defaults are the S3D study's fixed plan.
    /// - Throws: ``RecipeError``.
    init(reading section: RecipeSection) throws {
        initializer = try section.choice("initializer", default: .he)
        preprocessing = try section.choice("preprocessing", default: .likeDataset)
        norm = try section.choice("norm", default: .instance)
        (spacingMM, patch, batch, network) = ([1, 1, 1], 160, 2, .preset(.l))
        if try section.choice("kind", among: ["fixed", "dynamic"], default: "fixed") == "dynamic" {
            dynamic = try DynamicPlanRecipe(reading: section)
            return
        }
        file = try section.optionalString("file")
        spacingMM = try section.doubles("spacing_mm", default: [1, 1, 1], count: 3, in: 0.001...1000)
        patch = try section.extent("patch", default: 160)
        batch = try section.integer("batch", default: 2, in: 1...4096)
        network = try NetworkChoice(reading: section)
        let heads = NetworkPlan.Head.allCases.map(\.rawValue)
        head = NetworkPlan.Head(rawValue: try section.choice("head", among: ["unet"] + heads, default: "unet"))
        if head?.wantsResNet == true, let plan = network.plan, plan.architecture != .resNet {
            throw section.error(
                at: "head", "\(network.name) has a decoder of its own: use unet or classification, or a ResNet")
        }
        if norm != .instance, !network.isPreset {
            throw section.error(
                at: "norm", "\(network.name) has norms of its own: use instance, or a preset such as resenc-l")
        }
        guard file == nil, let plan = network.plan else { return }
        do {
            try plan.check(extent: patch)
        } catch {
            throw section.error(
                at: "patch",
                "\(network.name) needs a patch whose sizes are multiples of \(plan.totalStride), got \(patch)")
        }
    }

    /// The plan for a dataset.
    /// - Parameter weights: the weights to start from, if there are any and the plan's network is theirs.
    /// - Throws: ``PlanError`` for a file that cannot be used; ``FinetuneError`` for one of other channels or classes, and
    ///   for weights that are missing or of an unknown network; errors of the images that a dynamic plan looks at.
    public func plan(for dataset: NNUNetDataset, startingFrom weights: WeightsFile? = nil, on cpu: CPU) throws -> Plan {
        if let dynamic {
            var plan = try dynamic.plan(for: dataset, on: cpu)
            plan.network.norm = norm == .instance ? nil : norm
            return plan
        }
        guard let file else {
            var topology = try network.plan?.topology ?? topology(of: weights)
            topology.head = head
            if norm != .instance { topology.norm = norm }
            return Plan.fixed(
                channelNames: dataset.channelNames, outputChannels: dataset.outputChannels, patch: patch, batch: batch,
                network: topology, spacingMM: spacingMM)
        }
        var plan = try Plan(contentsOf: file)
        if head == .classification { (plan.network.head, plan.outputChannels) = (head, dataset.outputChannels) }
        guard plan.channels.count == dataset.channelNames.count, plan.outputChannels == dataset.outputChannels else {
            throw FinetuneError.otherPlan(
                file: file, channels: plan.channels.count, classes: plan.outputChannels, dataset: dataset)
        }
        return plan
    }

    /// The network that the weights are for, with their norms and adapters.
    private func topology(of weights: WeightsFile?) throws -> NetworkTopology {
        guard let weights else { throw FinetuneError.networkOfNoWeights }
        guard let plan = weights.planAsUNet else { throw FinetuneError.unknownNetwork(weights: weights.path) }
        try plan.check(extent: patch)
        guard head?.wantsResNet != true || plan.architecture == .resNet else {
            throw FinetuneError.headWithoutResNet(weights: weights.path, theirs: plan.encoderTitle)
        }
        return plan.topology
    }
}
