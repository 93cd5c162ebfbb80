import Segmentation
import Training

/// The section `region`: whether the network looks at whole images, or at the part of them that another network points to.
public struct RegionRecipe: Sendable, Hashable {
    /// How the part is made in training and prediction; nil: whole images.
    public var interest: RegionOfInterest?
    /// The folder of the run that finds the regions of the cases that are scored at the end; nil: their labels do.
    public var coarse: String?

    /// Reads the section. Without a word whole images are seen.
    /// - Throws: ``RecipeError``.
    init(reading section: RecipeSection) throws {
        let margin = try section.optionalDouble("margin_mm", default: nil, in: 0...1000)
        let jitter = try section.double("jitter_mm", default: 0, in: 0...1000)
        coarse = try section.optionalString("coarse")
        guard let margin else {
            guard jitter == 0, coarse == nil else {
                throw section.error(at: "margin_mm", "without a margin whole images are seen: give a number of mm")
            }
            return
        }
        guard jitter <= margin else {
            throw section.error(
                at: "jitter_mm", "\(jitter) mm would cut off structures: use at most margin_mm, \(margin)")
        }
        interest = RegionOfInterest(marginMM: margin, jitterMM: jitter)
    }
}
