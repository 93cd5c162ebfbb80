import WeightFiles

/// How transfer cards of weights name normalizations.
extension Normalization {
    /// The scheme's name on transfer cards.
    public var cardName: String {
        switch self {
        case .zScore: "z_score"
        case .ct: "ct"
        case .clippedZScore: "clipped_z_score"
        case .window: "window"
        case .zeroToOne: "zero_to_one"
        case .rgb: "rgb"
        case .none: "none"
        }
    }

    /// The scheme's numbers on transfer cards; those of schemes without any say nothing.
    public var cardIntensities: TransferCard.Intensities {
        switch self {
        case .ct(let numbers):
            .init(mean: numbers.mean, deviation: numbers.deviation, lower: numbers.lower, upper: numbers.upper)
        case .window(let lower, let upper): .init(mean: 0, deviation: 1, lower: lower, upper: upper)
        case .zScore, .clippedZScore, .zeroToOne, .rgb, .none: .init(mean: 0, deviation: 1, lower: 0, upper: 0)
        }
    }

    /// The scheme of this name on a card; nil for an unknown one, and for one whose numbers the card does not give.
    public init?(cardName: String, intensities: TransferCard.Intensities?) {
        switch (cardName, intensities) {
        case ("z_score", _): self = .zScore(insideOnly: false)
        case ("clipped_z_score", _): self = .clippedZScore
        case ("zero_to_one", _): self = .zeroToOne
        case ("rgb", _): self = .rgb
        case ("none", _): self = .none
        case ("window", let numbers?): self = .window(lower: numbers.lower, upper: numbers.upper)
        case ("ct", let numbers?):
            self = .ct(
                CTStatistics(
                    mean: numbers.mean, deviation: numbers.deviation, lower: numbers.lower, upper: numbers.upper))
        default: return nil
        }
    }
}
