import Tensors

/// Which cases to label next (active learning).
public struct ActiveSelection: Sendable, Hashable {
    /// What makes a case worth labeling.
    public enum Strategy: String, Sendable, Hashable, CaseIterable {
        /// The networks are unsure.
        case entropy
        /// They are unsure because they disagree.
        case mutualInformation = "mutual-information"
        /// Their labels differ.
        case disagreement
        /// Its label would change the last layer most: approximate Fisher information.
        case gradient
        /// Nothing: the baseline that a strategy must beat.
        case random
    }

    /// What makes a case worth labeling.
    public var strategy: Strategy
    /// How many cases can be labeled.
    public var count: Int
    /// Whether the chosen ones shall differ: of the five times as many best ones those that lie far apart in the
    /// bottleneck's features, by the greedy k-centre rule (Sener and Savarese 2018, arXiv:1708.00489).
    public var isDiverse: Bool
    /// Decides the order of `random`.
    public var seed: UInt64

    /// A selection.
    public init(_ strategy: Strategy, count: Int, isDiverse: Bool = false, seed: UInt64 = 0) {
        (self.strategy, self.count, self.isDiverse, self.seed) = (strategy, count, isDiverse, seed)
    }

    /// A case's score; higher is more interesting.
    public func score(_ item: CaseInterest) -> Double {
        switch strategy {
        case .entropy: item.entropy
        case .mutualInformation: item.mutualInformation
        case .disagreement: item.disagreement
        case .gradient: item.gradient
        case .random:
            // A number of its own for every name: the order of the cases does not matter.
            Self.draw(item.name, seed: seed)
        }
    }

    /// All cases, those to label first. Of equal scores, by name.
    public func ranked(_ cases: [CaseInterest]) -> [CaseInterest] {
        let ranked = cases.map { (item: $0, score: score($0)) }
            .sorted { ($1.score, $0.item.name) < ($0.score, $1.item.name) }.map(\.item)
        guard isDiverse, count < ranked.count, count > 0 else { return ranked }
        let pool = Array(ranked.prefix(5 * count))
        var chosen = [0]
        var distances = pool.map { Self.squaredDistance($0, pool[0]) }
        while chosen.count < min(count, pool.count) {
            let rest = pool.indices.filter { !chosen.contains($0) }
            guard let next = rest.max(by: { (distances[$0], $1) < (distances[$1], $0) }) else { break }
            chosen.append(next)
            for index in pool.indices {
                distances[index] = min(distances[index], Self.squaredDistance(pool[index], pool[next]))
            }
        }
        let names = Set(chosen.map { pool[$0].name })
        return chosen.map { pool[$0] } + ranked.filter { !names.contains($0.name) }
    }

    private static func squaredDistance(_ a: CaseInterest, _ b: CaseInterest) -> Double {
        zip(a.features, b.features).reduce(0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }
    }

    private static func draw(_ name: String, seed: UInt64) -> Double {
        // FNV-1a: a stream of its own for every name, on every machine.
        let hash = name.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        var draws = Draws(
            seed: seed, purpose: "active selection", step: Int(hash >> 32), sample: Int(hash & 0xFFFF_FFFF))
        return draws.uniform()
    }
}
