import Tensors

extension Draws.Purpose {
    static let rankStability: Self = "rank stability"
}

/// How far a ranking depends on the cases that happened to be in the test sets.
///
/// The cases of every dataset are drawn again with replacement, the same draw for all methods, and ranked again; the more
/// often a method keeps its rank, the less it owes it to chance. Training runs are not drawn: the networks are taken as
/// given.
public struct RankStability: Sendable, Hashable, Codable {
    /// What became of one method.
    public struct Method: Sendable, Hashable, Codable {
        /// The method.
        public var name: String
        /// Its rank with all cases as they are.
        public var rank: Double
        /// The share of repetitions in which it had the place 1, 2, and so on; a tie counts in equal parts for the places
        /// it covers.
        public var placeShares: [Double]
        /// The percentile interval of its rank.
        public var interval: Interval
        /// The share of repetitions in which it was first; tied firsts in equal parts.
        public var probabilityOfBest: Double { placeShares[0] }
    }

    /// The number of times the cases were drawn.
    public var repetitions: Int
    /// The methods, in the order of the ranking's.
    public var methods: [Method]
    /// The mean of Kendall's τ between the ranking of a repetition and the full one; nil where it is never defined.
    public var kendallTau: Double?

    /// Draws the cases of `ranking` again; nil if it has none.
    public init?(_ ranking: Ranking, repetitions: Int = 1000, confidence: Double = 0.95, seed: UInt64 = 0) {
        guard !ranking.scores.isEmpty else { return nil }
        let full = ranking.meanRanks
        let count = ranking.methods.count
        var shares = [[Double]](repeating: Array(repeating: 0, count: count), count: count)
        var ranks = [[Double]](repeating: [], count: count)
        var taus: [Double] = []
        for repetition in 0..<repetitions {
            var draws = Draws(seed: seed, purpose: .rankStability, step: repetition)
            let drawn = ranking.scores.map { dataset in
                let cases = dataset[0].indices.map { _ in draws.integer(in: 0..<dataset[0].count) }
                return dataset.map { row in cases.map { row[$0] } }
            }
            let result = Ranking(methods: ranking.methods, scores: drawn).meanRanks
            for (method, rank) in result.enumerated() { ranks[method].append(rank) }
            for (method, places) in Self.places(result).enumerated() {
                for place in places { shares[method][place] += 1 / Double(places.count) / Double(repetitions) }
            }
            taus.append(Ranking.kendallTau(result, full))
        }
        let tail = 50 * (1 - confidence)
        self.repetitions = repetitions
        methods = ranking.methods.indices.map { method in
            let sorted = ranks[method].sorted()
            return Method(
                name: ranking.methods[method], rank: full[method], placeShares: shares[method],
                interval: Interval(
                    lower: sorted.percentileOfSorted(tail), upper: sorted.percentileOfSorted(100 - tail)))
        }
        let tau = Scores(taus).mean
        kendallTau = tau.isNaN ? nil : tau
    }

    /// The places that each method takes in the order of mean ranks, from 0; several for a tie.
    private static func places(_ meanRanks: [Double]) -> [Range<Int>] {
        meanRanks.map { rank in
            let better = meanRanks.count { $0 < rank }
            return better..<better + meanRanks.count { $0 == rank }
        }
    }
}
