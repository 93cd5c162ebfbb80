import Networks
import Training

/// The section `adapters`: small additions to pre-trained weights that train in their place (parameter-efficient
/// fine-tuning). Weights that are not pre-trained train as they do without.
public enum AdapterRecipe: Sendable, Hashable {
    /// Pre-trained weights train themselves.
    case none
    /// Low-rank changes of convolutions in these modules; all other pre-trained weights stay. Merged when the run ends.
    case lowRank(LowRankAdaptation, modules: [String])
    /// Small networks behind residual blocks of the encoder; pre-trained weights stay.
    case residual(reduction: Int)

    /// Reads the section. Without a word there are no adapters.
    /// - Throws: ``RecipeError``.
    init(reading section: RecipeSection) throws {
        switch try section.choice("kind", among: ["none", "lora", "residual"], default: "none") {
        case "lora":
            let rank = try section.integer("rank", default: 8, in: 1...256)
            self = .lowRank(
                LowRankAdaptation(rank: rank, scale: try section.optionalDouble("scale", default: nil, in: 0...1e6)),
                modules: try section.strings("modules", default: ["encoder"]))
        case "residual": self = .residual(reduction: try section.integer("reduction", default: 8, in: 1...1024))
        default: self = .none
        }
    }
}
