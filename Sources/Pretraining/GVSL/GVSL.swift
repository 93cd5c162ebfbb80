import Networks
import Tensors
import Training

/// Learning the geometry that patients share: registering patches of two images by the network's features, and restoring one
/// whose appearance changed. He et al. 2023, "Geometric visual similarity learning in 3D medical image self-supervised
/// pre-training", CVPR; as re-implemented for Wald et al. 2024, arXiv:2410.23132.
///
/// Unlike there, the affine head is trained, and a flow of zeros moves nothing.
public struct GVSL: PretextMethod {
    /// `gvsl`.
    public static let name = "gvsl"

    /// Two pairs; views are moved by their own map.
    public static let defaults = PretextDefaults(batch: 2, augmentation: .none)

    /// What happens to the patches of a pair.
    public let views: ShapeViews
    /// The sizes of the heads.
    public let widths: ShapeRegistration.Widths
    /// Whether patches come from the middle of their images, where anatomy corresponds.
    public let isCentered: Bool

    /// Reads `views`, see ``ShapeViews``, with `centered`, and `heads`: `affine`, `deformation`, `restoration`.
    /// - Throws: `RecipeError`.
    public init(reading section: RecipeSection, for setup: PretrainingSetup) throws {
        let views = try section.section("views")
        self.views = try ShapeViews(reading: views)
        isCentered = try views.bool("centered", default: true)
        let heads = try section.section("heads")
        var widths = ShapeRegistration.Widths()
        func width(_ key: String, _ usual: Int) throws -> Int {
            let value = try heads.integer(key, default: usual, in: 4...4096)
            guard value % 8 == 0 || value < 16 && value % 4 == 0 else {
                throw heads.error(at: key, "expected a multiple of 8, which group norm divides, not \(value)")
            }
            return value
        }
        widths.affine = try width("affine", widths.affine)
        widths.deformation = try width("deformation", widths.deformation)
        widths.restoration = try width("restoration", widths.restoration)
        self.widths = widths
    }

    /// Registering with the U-Net as it is, but for its head. A batch takes twice as many patches as it has pairs.
    public func task(_ setup: PretrainingSetup, data: PretrainingData, on cpu: CPU) throws
        -> PretextTask<ShapeRegistration>
    {
        let learner = ShapeRegistration(try setup.unet(on: cpu), widths: widths, on: cpu)
        setup.initializer.initialize(learner, seed: setup.seed)
        return PretextTask(
            learner, method: Self.name, setup: setup, data: isCentered ? data.middles(of: setup.patch) : data,
            samples: 2 * setup.batch, arePairs: true, views: views.batch)
    }
}
