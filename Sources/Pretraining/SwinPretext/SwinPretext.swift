import Augmentation
import Networks
import Tensors
import Training
import Volumes

/// Swin UNETR's pretext on a convolutional encoder: filling in what was cut out, telling by how many quarters a patch was
/// turned, and which views belong together. Tang et al. 2022, arXiv:2111.14791, as re-implemented for Wald et al. 2024,
/// arXiv:2410.23132.
public struct SwinPretext: PretextMethod {
    /// `swin-pretext`.
    public static let name = "swin-pretext"

    /// Turned by quarters only, two patches a step.
    public static let defaults = PretextDefaults(batch: 2, augmentation: .none)

    /// What is hidden.
    public let cutOut: CutOut
    /// Where the heads look.
    public let tokens: PretextTriple.Tokens
    /// The length of the vector that is contrasted.
    public let width: Int
    /// What cosines are divided by.
    public let temperature: Double

    /// Two views of each patch, turned and cut.
    public struct Batch: Sendable {
        /// What the network sees: all first views, then all second views.
        public var cut: PatchBatch
        /// The turned patches.
        public var whole: PatchBatch
        /// By how many quarters each was turned.
        public var quarters: [Int]
    }

    /// Reads `views`, see ``CutOut``, and `heads`: `tokens`, `width`, `temperature`.
    /// - Throws: `RecipeError`, also for patches that are not square within a slice.
    public init(reading section: RecipeSection, for setup: PretrainingSetup) throws {
        let views = try section.section("views")
        cutOut = try CutOut(reading: views)
        guard setup.patch.height == setup.patch.width else {
            throw views.error(
                at: "cut_out", "patches of \(setup.patch) cannot be turned by quarters: make plan.patch square in plane"
            )
        }
        let heads = try section.section("heads")
        tokens = try heads.choice("tokens", default: .mean)
        width = try heads.integer("width", default: 512, in: 1...65_536)
        temperature = try heads.double("temperature", default: 0.5, in: 1e-3...1e3)
    }

    /// Training an encoder with three heads.
    public func task(_ setup: PretrainingSetup, data: PretrainingData, on cpu: CPU) throws
        -> PretextTask<PretextTriple>
    {
        let learner = PretextTriple(
            setup.network, tokens: tokens, width: width, temperature: Float(temperature), on: cpu)
        setup.initializer.initialize(learner, seed: setup.seed)
        return PretextTask(learner, method: Self.name, setup: setup, data: data, views: batch)
    }

    /// Turns and cuts both views.
    public func batch(of patches: PatchBatch, at place: BatchPlace) -> Batch {
        var (cut, whole, quarters): ([Patch], [Patch], [Int]) = ([], [], [])
        for view in 0..<2 {
            var turned: [Patch] = []
            for sample in 0..<patches.samples {
                var draws = place.draws("quarters", sample: view * patches.samples + sample)
                var patch = patches.patch(sample)
                quarters.append(draws.integer(in: 0..<4))
                patch.turn(quarters: quarters[quarters.count - 1], firstAxis: 1)
                turned.append(patch)
            }
            whole += turned
            cutOut.apply(to: &turned) { place.draws("cut-out", sample: view * patches.samples + $0) }
            cut += turned
        }
        let names = patches.names + patches.names
        return Batch(
            cut: PatchBatch(cut, names: names), whole: PatchBatch(whole, names: names), quarters: quarters)
    }
}
