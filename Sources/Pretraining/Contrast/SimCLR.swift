import Networks
import Tensors
import Training

/// Telling which two crops show the same place. Chen et al. 2020, arXiv:2002.05709, in 3D as in the public code of Wald et al.
/// 2024, arXiv:2410.23132.
public struct SimCLR: PretextMethod {
    /// `simclr`.
    public static let name = "simclr"

    /// Crops of 64³ from 32 volumes; gradients are kept very short.
    public static let defaults = PretextDefaults(patch: 64, batch: 32, augmentation: .none, clipNorm: 0.1)

    /// The crops.
    public let pairs: CropPairs
    /// The length of an embedding, and of the layers before it.
    public let width: Int
    /// What cosines are divided by.
    public let temperature: Double

    /// Reads `views`, see ``CropPairs``, and `contrast`: `width` and `temperature`.
    /// - Throws: `RecipeError`.
    public init(reading section: RecipeSection, for setup: PretrainingSetup) throws {
        pairs = try CropPairs(reading: section.section("views"), crop: setup.patch)
        let contrast = try section.section("contrast")
        width = try contrast.integer("width", default: 2048, in: 1...65_536)
        temperature = try contrast.double("temperature", default: 0.5, in: 1e-3...1e3)
    }

    /// Training an encoder with a head of three layers.
    public func task(_ setup: PretrainingSetup, data: PretrainingData, on cpu: CPU) throws -> PretextTask<PairContrast>
    {
        let embedder = CropEmbedder(setup.network, head: [width, width, width], isNormalized: true, on: cpu)
        let learner = PairContrast(embedder, temperature: Float(temperature), on: cpu)
        setup.initializer.initialize(learner, seed: setup.seed)
        return PretextTask(
            learner, method: Self.name, setup: setup, data: data, cutter: setup.augmentation.cutter(of: pairs.volume),
            views: pairs.batch)
    }
}

/// The normalized temperature-scaled cross-entropy between the embeddings of two views.
public struct PairContrast: PretextLearner {
    /// What is pre-trained.
    public let embedder: CropEmbedder
    /// What cosines are divided by.
    public let temperature: Float
    private let cpu: CPU

    /// A learner around an embedder.
    public init(_ embedder: CropEmbedder, temperature: Float, on cpu: CPU) {
        (self.embedder, self.temperature, self.cpu) = (embedder, temperature, cpu)
    }

    /// The embedder's.
    public var members: [Member] { embedder.members }

    /// The encoder.
    public var result: any Module { EncoderOnly(embedder.encoder) }

    /// See ``Tensors/ntXent(_:_:temperature:)``.
    public func loss(_ batch: CropPairs.Batch, in phase: Phase) -> StepLoss {
        let embeddings = embedded(batch, in: phase)
        let pairs = batch.first.samples
        return StepLoss(
            total: ntXent(
                slice(embeddings, axis: 0, 0..<pairs), slice(embeddings, axis: 0, pairs..<2 * pairs),
                temperature: temperature),
            cases: batch.first.names)
    }

    /// Views and cosines.
    public func previews(of batch: CropPairs.Batch) -> [Preview] {
        batch.previews(embeddings: embedded(batch, in: .inference))
    }

    /// The first views, then the second, in one pass: `[2B, E]`.
    private func embedded(_ batch: CropPairs.Batch, in phase: Phase) -> Tensor {
        embedder(PatchBatch.joined([batch.first, batch.second]).input(on: cpu), in: phase)
    }
}
