import Augmentation
import Networks
import Tensors
import Training
import Volumes
import WeightFiles

/// What every pre-training method needs to know: the network, its start, and what it is shown.
public struct PretrainingSetup: Sendable {
    /// The network; it has one input channel and, unless a method has others, one output channel.
    public var network: NetworkPlan
    /// How its weights start.
    public var initializer: Initializer
    /// The size along depth, height and width that every voxel is resampled to.
    public var spacingMM: [Double]
    /// How intensities are normalized, as transfer cards name it.
    public var normalization = ["z_score"]
    /// What the network sees at once.
    public var patch: Extent3
    /// Patches per step.
    public var batch: Int
    /// How training patches are turned, scaled and mirrored.
    public var augmentation: PatchAugmentation
    /// How many batches of unseen images judge the network.
    public var validationBatches: Int
    /// Whether to keep less and compute it again for the gradients, see `Phase.recomputing`.
    public var recomputes = false
    /// Decides random weights and all that is drawn.
    public var seed: UInt64

    /// Reads `seed`, `plan`, `augmentation` and `validation`. What neither recipe nor method decides is as in Wald et al.
    /// 2024, arXiv:2410.23132.
    /// - Throws: `RecipeError`.
    public init(reading section: RecipeSection, defaults: PretextDefaults) throws {
        seed = UInt64(try section.integer("seed", default: 0))

        let plan = try section.section("plan")
        spacingMM = try plan.doubles("spacing_mm", default: [1, 1, 1], count: 3, in: 0.001...1000)
        patch = try plan.extent("patch", default: defaults.patch)
        batch = try plan.integer("batch", default: defaults.batch, in: 1...4096)
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
        augmentation = try PatchAugmentation(
            reading: section.section("augmentation"), patch: patch, default: defaults.augmentation)
        validationBatches = try section.section("validation").integer("batches", default: 50, in: 0...1_000_000)
    }

    /// How training patches are cut.
    public var cutter: PatchCutter { augmentation.cutter(of: patch) }

    /// The network, its weights zero until an initializer sets them.
    func unet(on cpu: CPU) throws -> UNet { try UNet(network, on: cpu) }

    /// What the weights are good for.
    public func card(method: String, transferable: [String] = ["encoder", "decoder"]) -> TransferCard {
        TransferCard(
            architecture: network, method: method, patch: patch, spacingMM: spacingMM, normalization: normalization,
            transferable: transferable)
    }
}
