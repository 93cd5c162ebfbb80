/// Scores of several cases, those that are not a number left out and counted.
///
/// A Dice of NaN says that a structure is missing from both the reference and the prediction: the case says nothing
/// about it, so it enters no mean. How many were left out is part of every result.
public struct Scores: Sendable, Hashable {
    /// The scores that are numbers, in the order given.
    public let values: [Double]
    /// How many scores were NaN.
    public let leftOut: Int

    /// Keeps the numbers among `scores`.
    public init(_ scores: some Sequence<Double>) {
        let all = Array(scores)
        values = all.filter { !$0.isNaN }
        leftOut = all.count - values.count
    }

    /// The number of scores that count.
    public var count: Int { values.count }

    /// The arithmetic mean; NaN without scores.
    public var mean: Double { values.reduce(0, +) / Double(values.count) }

    /// The sample standard deviation, `√(Σ(x − mean)² / (n − 1))`; NaN for fewer than two scores.
    public var standardDeviation: Double {
        guard count > 1 else { return .nan }
        let center = mean
        return (values.reduce(0) { $0 + ($1 - center) * ($1 - center) } / Double(count - 1)).squareRoot()
    }

    /// The 50th percentile; NaN without scores.
    public var median: Double { percentile(50) }

    /// The score below which `percent` of the scores lie, interpolated linearly between the two nearest ranks
    /// (NumPy's default, type 7 of Hyndman and Fan 1996); NaN without scores.
    /// - Precondition: `percent` is in `0...100`.
    public func percentile(_ percent: Double) -> Double { values.sorted().percentileOfSorted(percent) }
}

extension [Double] {
    /// See ``Scores/percentile(_:)``; the elements are in ascending order.
    func percentileOfSorted(_ percent: Double) -> Double {
        guard !isEmpty else { return .nan }
        let rank = percent / 100 * Double(count - 1)
        let below = Int(rank)
        let above = Swift.min(below + 1, count - 1)
        return self[below] + (rank - Double(below)) * (self[above] - self[below])
    }
}
