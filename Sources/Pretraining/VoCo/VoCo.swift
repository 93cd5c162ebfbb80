import Networks
import Tensors
import Training

/// Telling where in a volume a crop lies, by how similar it is to crops of a grid. Wu et al. 2024, arXiv:2402.17300; settings
/// of the comparison in Wald et al. 2024, arXiv:2410.23132, whose code does not limit gradients here.
public struct VoCo: PretextMethod {
    /// `voco`.
    public static let name = "voco"

    /// Crops of 64³ from 12 volumes.
    public static let defaults = PretextDefaults(patch: 64, batch: 12, augmentation: .none, clipNorm: nil)

    /// The crops.
    public let positions: CropPositions
    /// The length of an embedding, and of the layers before it.
    public let width: Int

    /// Reads `views`, see ``CropPositions``, and `contrast`: `width`.
    /// - Throws: `RecipeError`.
    public init(reading section: RecipeSection, for setup: PretrainingSetup) throws {
        positions = try CropPositions(reading: section.section("views"), crop: setup.patch)
        width = try section.section("contrast").integer("width", default: 2048, in: 1...65_536)
    }

    /// Training an encoder with a head of three layers.
    public func task(_ setup: PretrainingSetup, data: PretrainingData, on cpu: CPU) throws
        -> PretextTask<PositionPrediction>
    {
        let embedder = CropEmbedder(setup.network, head: [width, width, width], isNormalized: true, on: cpu)
        let learner = PositionPrediction(embedder, positions: positions, on: cpu)
        setup.initializer.initialize(learner, seed: setup.seed)
        return PretextTask(
            learner, method: Self.name, setup: setup, data: data,
            cutter: setup.augmentation.cutter(of: positions.volume), views: positions.batch)
    }
}
