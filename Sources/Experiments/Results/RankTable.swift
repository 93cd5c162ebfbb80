import Evaluation

/// Initializations ranked over several comparisons, each on a dataset of its own (the S3D study's Table 2).
public struct RankTable: Sendable, Codable {
    /// The datasets.
    public var datasets: [String]
    /// The rank of each initialization on each dataset: `[initialization][dataset]`.
    public var ranks: [[Double]]
    /// Ranks over all datasets, and how stable they are.
    public var stability: RankStability

    /// Ranks the initializations that all comparisons have, in the order of the first.
    /// - Throws: ``ComparisonError/nothing(_:)`` without a common initialization or without a score.
    public init(_ comparisons: [ComparisonResults], repetitions: Int = 1000, seed: UInt64 = 0) throws {
        let tables = comparisons.compactMap { results in results.caseScores.map { (results.comparison.dataset, $0) } }
        guard let first = tables.first, tables.count == comparisons.count else {
            throw ComparisonError.nothing("test cases that every initialization has finished")
        }
        let names = first.1.initializations.filter { name in
            tables.allSatisfy { $0.1.initializations.contains(name) }
        }
        guard names.count > 1 else { throw ComparisonError.nothing("two initializations that all have") }
        let ranking = Ranking(
            methods: names,
            scores: tables.map { _, table in
                names.map { name in table.dice[table.initializations.firstIndex(of: name) ?? 0] }
            })
        guard let stability = RankStability(ranking, repetitions: repetitions, seed: seed) else {
            throw ComparisonError.nothing("scores")
        }
        datasets = tables.map(\.0)
        let byDataset = datasets.indices.map(ranking.ranks(onDataset:))
        ranks = names.indices.map { index in byDataset.map { $0[index] } }
        self.stability = stability
    }
}
