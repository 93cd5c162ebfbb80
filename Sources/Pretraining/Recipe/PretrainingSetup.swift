import Augmentation
import Networks
import Tensors
import Training
import Volumes
import WeightFiles

/// What every pre-training method needs to know: the network, its start, and what it is shown.
public struct PretrainingSetup: Sendable {
    /// The network; it has one input and one output channel.
    public var network: NetworkPlan
    /// How its weights start.
    public var initializer: Initializer
    /// The size along depth, height and width that every voxel is resampled to.
    public var spacingMM: [Double]
    /// What the network sees at once.
    public var patch: Extent3
    /// Patches per step.
    public var batch: Int
    /// How training patches are cut and changed.
    public var cutter: PatchCutter
    /// How many batches of unseen images judge the network.
    public var validationBatches: Int
    /// Decides random weights and all that is drawn.
    public var seed: UInt64

    /// Reads `seed`, `plan`, `augmentation` and `validation`. The defaults are those of Wald et al. 2024,
    /// arXiv:2410.23132.
    /// - Throws: `RecipeError`.
    public init(reading section: RecipeSection) throws {
        seed = UInt64(try section.integer("seed", default: 0))

        let plan = try section.section("plan")
        spacingMM = try plan.doubles("spacing_mm", default: [1, 1, 1], count: 3, in: 0.001...1000)
        patch = try plan.extent("patch", default: 160)
        batch = try plan.integer("batch", default: 6, in: 1...4096)
        let preset: NetworkPreset = try plan.choice("preset", default: .l)
        network = preset.plan(inputChannels: 1, outputChannels: 1)
        let features = try plan.integers("features", default: network.features, in: 1...4096)
        let blocks = try plan.integers("blocks", default: network.blocks, count: features.count, in: 1...64)
        network = NetworkPlan(inputChannels: 1, outputChannels: 1, features: features, blocks: blocks)
        initializer = try plan.choice("initializer", default: .he)
        do {
            try network.validate()
        } catch {
            throw plan.error(at: "features", "\(error)")
        }
        do {
            try network.check(extent: patch)
        } catch {
            throw plan.error(at: "patch", "\(error)")
        }
        cutter = try PatchCutter(reading: section.section("augmentation"), patch: patch)
        validationBatches = try section.section("validation").integer("batches", default: 50, in: 0...1_000_000)
    }

    /// What the weights are good for.
    public func card(method: String) -> TransferCard {
        TransferCard(
            architecture: network, method: method, patch: patch, spacingMM: spacingMM, normalization: ["z_score"],
            transferable: ["encoder", "decoder"])
    }
}

extension PatchCutter {
    /// Reads how patches are turned, scaled and mirrored.
    fileprivate init(reading section: RecipeSection, patch: Extent3) throws {
        var spatial = SpatialTransform.pretraining(patch: patch)
        spatial.rotationProbability = try section.double(
            "rotation_probability", default: spatial.rotationProbability, in: 0...1)
        spatial.rotationDegrees = try section.double("rotation_degrees", default: spatial.rotationDegrees, in: 0...180)
        spatial.scalingProbability = try section.double(
            "scaling_probability", default: spatial.scalingProbability, in: 0...1)
        spatial.scaling = .balanced(try section.interval("scaling", default: spatial.scaling.limits, in: 0.1...10))
        let axes = try section.integers("mirrored_axes", default: [0, 1, 2], in: 0...2)
        self.init(
            sampling: PatchSampling(
                patch: patch, box: spatial.initialPatch(for: patch), oversampling: .probability(0)),
            spatial: spatial, transforms: TransformList([Mirroring(axes: Set(axes))]))
    }
}
