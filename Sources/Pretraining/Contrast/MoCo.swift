import Networks
import Tensors
import Training

/// Telling the other view of a place from many views of other places, encoded by a slowly following encoder. He et al. 2020,
/// arXiv:1911.05722; Chen et al. 2020 (version 2), arXiv:2003.04297. No source of the S3D study has it in 3D: the crops are
/// those of its SimCLR.
public struct MoCo: PretextMethod {
    /// `moco`.
    public static let name = "moco"

    /// The crops of SimCLR.
    public static let defaults = PretextDefaults(patch: 64, batch: 32, augmentation: .none)

    /// The crops.
    public let pairs: CropPairs
    /// The size of the layers of the head; a single one is version 1.
    public let head: [Int]
    /// What cosines are divided by.
    public let temperature: Double
    /// How much of the key encoder stays in every step.
    public let momentum: Double
    /// How many keys are remembered.
    public let queue: Int
    /// Whether each view looks for the other.
    public let isSymmetric: Bool

    /// Reads `views`, see ``CropPairs``, and `contrast`: `head`, `temperature`, `momentum`, `queue` and `symmetric`.
    /// - Throws: `RecipeError`.
    public init(reading section: RecipeSection, for setup: PretrainingSetup) throws {
        pairs = try CropPairs(reading: section.section("views"), crop: setup.patch)
        let contrast = try section.section("contrast")
        head = try contrast.integers("head", default: [2048, 128], in: 1...65_536)
        temperature = try contrast.double("temperature", default: 0.2, in: 1e-3...1e3)
        momentum = try contrast.double("momentum", default: 0.999, in: 0...1)
        queue = try contrast.integer("queue", default: 4096, in: 1...1_000_000)
        isSymmetric = try contrast.bool("symmetric", default: false)
        let keys = setup.batch * pairs.references
        guard queue > keys, queue % keys == 0 else {
            throw contrast.error(
                at: "queue",
                "expected a multiple of the \(keys) keys of a step, and more than those, such as \(8 * keys)")
        }
        guard !head.isEmpty else { throw contrast.error(at: "head", "expected at least one layer, such as [128]") }
    }

    /// Training an encoder against its own moving average.
    public func task(_ setup: PretrainingSetup, data: PretrainingData, on cpu: CPU) throws
        -> PretextTask<MomentumContrast>
    {
        func embedder() -> CropEmbedder {
            CropEmbedder(setup.network, head: head, isNormalized: false, on: cpu)
        }
        let query = embedder()
        setup.initializer.initialize(query, seed: setup.seed)
        let keys = KeyEncoder(embedder(), following: query, momentum: Float(momentum))
        let learner = MomentumContrast(
            query, keys: keys, queue: KeyQueue(count: queue, length: head[head.count - 1], seed: setup.seed),
            temperature: Float(temperature), isSymmetric: isSymmetric, on: cpu)
        return PretextTask(
            learner, method: Self.name, setup: setup, data: data, cutter: setup.augmentation.cutter(of: pairs.volume),
            views: pairs.batch)
    }
}
