/// How many of some cases are right.
public struct Proportion: Sendable, Hashable {
    /// The cases that are right.
    public var successes: Int
    /// All cases.
    public var count: Int

    /// `successes` of `count`.
    public init(_ successes: Int, of count: Int) { (self.successes, self.count) = (successes, count) }

    /// The share; NaN of no cases.
    public var value: Double { Double(successes) / Double(count) }

    /// Wilson's 95 % interval: the shares that the observed one does not speak against. It stays within 0 and 1, and has a
    /// width even where all cases are right. Wilson 1927, "Probable inference".
    public var interval: Interval? {
        guard count > 0 else { return nil }
        let (p, n, z) = (value, Double(count), Interval.normalQuantile)
        let center = (p + z * z / (2 * n)) / (1 + z * z / n)
        let reach = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
        return Interval(lower: max(0, center - reach), upper: min(1, center + reach))
    }
}

extension Interval {
    /// How many standard deviations of a normal distribution 95 % lie within.
    static let normalQuantile = 1.959963984540054
}
