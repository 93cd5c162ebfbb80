import Tensors

extension Draws.Purpose {
    static let bootstrap: Self = "bootstrap"
}

/// The range in which a quantity lies with a stated confidence.
public struct Interval: Sendable, Hashable, Codable {
    /// The lower end.
    public var lower: Double
    /// The upper end.
    public var upper: Double

    /// The range from `lower` to `upper`.
    public init(lower: Double, upper: Double) { (self.lower, self.upper) = (lower, upper) }

    /// Whether `value` lies between the ends, both included.
    public func contains(_ value: Double) -> Bool { lower <= value && value <= upper }
}

/// Percentile bootstrap intervals (Efron 1979): how far a statistic moves when the data are drawn again, with
/// replacement, from themselves.
///
/// Scores of a comparison have two sources of chance: the cases that were tested, and the training runs (seed and
/// fold) that made the networks. The same cases are usually tested by several runs, so the two are crossed, and
/// drawing single scores would pretend to have more data than there are. Here whole cases and whole runs are drawn,
/// independently of each other (the pigeonhole bootstrap: Owen 2007, arXiv:0712.1111).
///
/// Few runs drawn from themselves vary too little, in variance by the factor (R − 1) / R. Their multiplicities are
/// therefore spread around 1 by √(R / (R − 1)), after Rao and Wu (1988); a weight can then be negative. Even so, two or
/// three runs say little about what a new run would give.
public struct Bootstrap: Sendable, Hashable, Codable {
    /// What is drawn again.
    public enum Resampling: String, Sendable, Hashable, Codable {
        /// Cases only: the networks are taken as given.
        case cases
        /// Training runs and cases: what another training on other cases would have given.
        case runsAndCases = "runs and cases"
    }

    /// How much each run and each case counts: how often it was drawn. A statistic weighs the score of case `c` in run `r` by
    /// `runs[r] · cases[c]`.
    public struct Weights: Sendable {
        /// The multiplicity of each run, spread around 1.
        public var runs: [Double]
        /// The multiplicity of each case.
        public var cases: [Double]

        /// Multiplicities of runs and cases.
        public init(runs: [Double], cases: [Double]) { (self.runs, self.cases) = (runs, cases) }
    }

    /// The number of times the data are drawn.
    public var repetitions: Int
    /// The confidence of the interval, 0.95 by default.
    public var confidence: Double
    /// Same seed, same interval.
    public var seed: UInt64
    /// What is drawn again.
    public var resampling: Resampling

    /// - Precondition: `repetitions` is positive and `confidence` between 0 and 1.
    public init(
        repetitions: Int = 10_000, confidence: Double = 0.95, seed: UInt64 = 0, resampling: Resampling = .runsAndCases
    ) {
        check(repetitions > 0, "a bootstrap needs at least one repetition, got \(repetitions)")
        check(confidence > 0 && confidence < 1, "a confidence lies between 0 and 1, got \(confidence)")
        (self.repetitions, self.confidence, self.seed, self.resampling) = (repetitions, confidence, seed, resampling)
    }

    /// The interval of a statistic of `runs` x `cases` scores, or nil if it is never a number.
    ///
    /// A repetition whose statistic is NaN (every case of a rare class left out) does not count.
    /// - Parameter statistic: the statistic when runs and cases count as often as the weights say.
    public func interval(runs: Int = 1, cases: Int, of statistic: (Weights) -> Double) -> Interval? {
        guard runs > 0, cases > 0 else { return nil }
        var results: [Double] = []
        results.reserveCapacity(repetitions)
        for repetition in 0..<repetitions {
            var draws = Draws(seed: seed, purpose: .bootstrap, step: repetition)
            let result = statistic(weights(runs: runs, cases: cases, draws: &draws))
            if !result.isNaN { results.append(result) }
        }
        guard !results.isEmpty else { return nil }
        results.sort()
        let tail = 50 * (1 - confidence)
        return Interval(lower: results.percentileOfSorted(tail), upper: results.percentileOfSorted(100 - tail))
    }

    /// The interval of the mean of one score per case, NaN left out; for example of paired differences.
    public func interval(ofMean scores: [Double]) -> Interval? {
        let numbers = Scores(scores).values
        return interval(cases: numbers.count) { weights in
            zip(numbers, weights.cases).reduce(0) { $0 + $1.0 * $1.1 } / Double(numbers.count)
        }
    }

    private func weights(runs: Int, cases: Int, draws: inout Draws) -> Weights {
        Weights(
            runs: resampling == .cases || runs == 1
                ? Array(repeating: 1, count: runs) : Self.spreadMultiplicities(of: runs, draws: &draws),
            cases: Self.multiplicities(of: cases, draws: &draws))
    }

    private static func spreadMultiplicities(of count: Int, draws: inout Draws) -> [Double] {
        let spread = (Double(count) / Double(count - 1)).squareRoot()
        return multiplicities(of: count, draws: &draws).map { 1 + spread * ($0 - 1) }
    }

    /// How often each of `count` items comes up in `count` draws with replacement.
    private static func multiplicities(of count: Int, draws: inout Draws) -> [Double] {
        var result = [Double](repeating: 0, count: count)
        for _ in 0..<count { result[draws.integer(in: 0..<count)] += 1 }
        return result
    }
}
