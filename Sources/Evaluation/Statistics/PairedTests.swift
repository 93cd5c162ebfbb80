import Foundation
import Tensors

extension Draws.Purpose {
    static let signFlips: Self = "sign flips"
}

/// Tests of the hypothesis that paired differences are symmetric around zero: that it makes no difference which of two
/// methods segmented a case. All p values are two-sided; differences that are NaN are left out.
public enum PairedTest {
    /// Up to this many differences the sign-flip test visits all `2ⁿ` sign patterns.
    public static let exactLimit = 16

    /// The p value of the sign-flip (paired permutation) test of the mean: the share of sign patterns whose absolute
    /// mean is at least the one observed. NaN without differences.
    ///
    /// Exact up to ``exactLimit`` differences that are not zero. Beyond, `draws` random patterns stand in for all,
    /// with the observed one among them: `p = (1 + extreme) / (1 + draws)` (Phipson and Smyth 2010).
    public static func signFlip(_ differences: [Double], draws: Int = 20_000, seed: UInt64 = 0) -> Double {
        let all = Scores(differences)
        guard all.count > 0 else { return .nan }
        // Flipping the sign of zero changes nothing, so zeros neither help nor hurt either hypothesis.
        let values = all.values.filter { $0 != 0 }
        let observed = abs(values.reduce(0, +))
        // Patterns that tie with the observed one must count although their sums round differently.
        let threshold = observed - 1e-12 * values.reduce(0) { $0 + abs($1) }
        return values.count <= exactLimit
            ? exactShare(of: values, reaching: threshold)
            : sampledShare(of: values, reaching: threshold, draws: draws, seed: seed)
    }

    private static func exactShare(of values: [Double], reaching threshold: Double) -> Double {
        let patterns = 1 << values.count
        let extreme = (0..<patterns).count { pattern in
            let sum = values.indices.reduce(0.0) { $0 + (pattern >> $1 & 1 == 0 ? values[$1] : -values[$1]) }
            return abs(sum) >= threshold
        }
        return Double(extreme) / Double(patterns)
    }

    private static func sampledShare(
        of values: [Double], reaching threshold: Double, draws count: Int, seed: UInt64
    ) -> Double {
        var draws = Draws(seed: seed, purpose: .signFlips)
        var extreme = 0
        for _ in 0..<count {
            var signs: UInt64 = 0
            var sum = 0.0
            for (index, value) in values.enumerated() {
                if index % 64 == 0 { signs = draws.next() }
                sum += signs & 1 == 0 ? value : -value
                signs >>= 1
            }
            if abs(sum) >= threshold { extreme += 1 }
        }
        return Double(1 + extreme) / Double(1 + count)
    }

    /// The p value of Wilcoxon's signed-rank test (1945). NaN without differences; zero differences are dropped, as
    /// Wilcoxon did, and equal absolute differences share their mean rank.
    ///
    /// Exact, ties included, up to 60 differences; beyond, by the normal approximation with the correction for ties
    /// and none for continuity (SciPy's choice).
    public static func wilcoxon(_ differences: [Double]) -> Double {
        let all = Scores(differences)
        guard all.count > 0 else { return .nan }
        let values = all.values.filter { $0 != 0 }
        guard !values.isEmpty else { return 1 }
        let doubledRanks = doubledMidranks(values.map(abs))
        let positive = zip(values, doubledRanks).reduce(0) { $0 + ($1.0 > 0 ? $1.1 : 0) }
        return values.count <= 60
            ? exactWilcoxon(doubledRanks, positiveSum: positive) : normalWilcoxon(doubledRanks, positiveSum: positive)
    }

    /// Counts, rank by rank, the sign patterns that give each sum of positive ranks.
    private static func exactWilcoxon(_ doubledRanks: [Int], positiveSum: Int) -> Double {
        let total = doubledRanks.reduce(0, +)
        var probability = [Double](repeating: 0, count: total + 1)
        probability[0] = 1
        for rank in doubledRanks {
            for sum in stride(from: total, through: 0, by: -1) {
                probability[sum] = (probability[sum] + (sum >= rank ? probability[sum - rank] : 0)) / 2
            }
        }
        let tail = min(positiveSum, total - positiveSum)
        return min(1, 2 * probability[...tail].reduce(0, +))
    }

    private static func normalWilcoxon(_ doubledRanks: [Int], positiveSum: Int) -> Double {
        let total = Double(doubledRanks.reduce(0, +))
        // Each rank enters with probability 1/2, so its square over four is its share of the variance; midranks make
        // this the tie-corrected variance.
        let variance = doubledRanks.reduce(0) { $0 + Double($1) * Double($1) / 4 }
        let z = (Double(positiveSum) - total / 2) / variance.squareRoot()
        return erfc(abs(z) / 2.0.squareRoot())
    }

    /// Twice the rank of each value, ties at their mean rank; doubled, they are whole numbers.
    private static func doubledMidranks(_ values: [Double]) -> [Int] {
        let order = values.indices.sorted { values[$0] < values[$1] }
        var ranks = [Int](repeating: 0, count: values.count)
        var start = 0
        while start < order.count {
            var end = start
            while end + 1 < order.count, values[order[end + 1]] == values[order[start]] { end += 1 }
            for position in start...end { ranks[order[position]] = start + end + 2 }
            start = end + 1
        }
        return ranks
    }

    /// Holm's step-down adjustment (1979) for several tests of one family, in the order given: rejecting what falls
    /// below α keeps the chance of any false rejection below α. NaN stays NaN and does not count.
    public static func holmAdjusted(_ pValues: [Double]) -> [Double] {
        let order = pValues.indices.filter { !pValues[$0].isNaN }.sorted { pValues[$0] < pValues[$1] }
        var adjusted = pValues
        var largest = 0.0
        for (position, index) in order.enumerated() {
            largest = max(largest, min(1, pValues[index] * Double(order.count - position)))
            adjusted[index] = largest
        }
        return adjusted
    }
}
