import Tensors

/// A range that a factor is drawn from.
public enum FactorRange: Hashable, Sendable, Codable {
    /// Each factor is equally likely.
    case uniform(ClosedRange<Double>)
    /// Below 1 in half of the cases, above in the other, uniformly within each: "half the contrast" and "twice the contrast"
    /// come equally often. A range that starts at 1 or above is uniform.
    case balanced(ClosedRange<Double>)

    /// The smallest and the largest factor.
    public var limits: ClosedRange<Double> {
        switch self {
        case .uniform(let range), .balanced(let range): range
        }
    }

    /// A factor.
    public func draw(_ draws: inout Draws) -> Double {
        switch self {
        case .uniform(let range): return draws.uniform(in: range)
        case .balanced(let range):
            let isBelow = draws.chance(0.5) && range.lowerBound < 1
            return draws.uniform(in: isBelow ? range.lowerBound...1 : max(range.lowerBound, 1)...range.upperBound)
        }
    }
}

extension Draws {
    /// A number in `range`; its bounds if they are one.
    mutating func uniform(in range: ClosedRange<Double>) -> Double {
        range.lowerBound + uniform() * (range.upperBound - range.lowerBound)
    }
}
