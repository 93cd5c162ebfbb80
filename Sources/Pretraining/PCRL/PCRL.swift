import Networks
import Tensors
import Training

/// Keeping information of all scales: restoration through the bottleneck alone, and views that predict each other. Zhou et al.
/// 2023 (PCRLv2), arXiv:2301.00772; as re-implemented for Wald et al. 2024, arXiv:2410.23132, but each small view takes part
/// and the target is free of noise.
public struct PCRL: PretextMethod {
    /// `pcrlv2`.
    public static let name = "pcrlv2"

    /// Large views of 128³; views change in their own way.
    public static let defaults = PretextDefaults(patch: 128, augmentation: .none)

    /// The views.
    public let views: ScaleViews

    /// Reads `views`, see ``ScaleViews``.
    /// - Throws: `RecipeError`.
    public init(reading section: RecipeSection, for setup: PretrainingSetup) throws {
        let views = try section.section("views")
        self.views = try ScaleViews(reading: views, patch: setup.patch)
        guard setup.network.stages >= 3 else {
            throw section.error(at: "plan", "this method needs at least three stages (plan.features)")
        }
        guard setup.batch >= 2 else {
            throw section.error(
                at: "plan", "this method compares images of a batch: it needs at least two (plan.batch)")
        }
        do {
            try setup.network.check(extent: self.views.localExtent)
        } catch {
            throw views.error(at: "local_patch", "\(error)")
        }
    }

    /// Training an encoder with a decoder of its own.
    public func task(_ setup: PretrainingSetup, data: PretrainingData, on cpu: CPU) throws
        -> PretextTask<ScalePreservation>
    {
        let learner = ScalePreservation(setup.network, on: cpu)
        setup.initializer.initialize(learner, seed: setup.seed)
        return PretextTask(
            learner, method: Self.name, setup: setup, data: data, cutter: setup.augmentation.cutter(of: views.region),
            views: views.batch)
    }
}
