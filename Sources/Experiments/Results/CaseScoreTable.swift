import Evaluation

/// The Dice of each initialization in each test case, the mean over training-set sizes, runs and classes: what rankings
/// are made of.
public struct CaseScoreTable: Sendable, Codable {
    /// The initializations, in the comparison's order.
    public var initializations: [String]
    /// The test cases.
    public var cases: [String]
    /// By initialization, then case.
    public var dice: [[Double]]

    /// The scores in runs that all initializations have finished; nil without any.
    init?(_ comparison: Comparison, _ outcomes: [CellKey: CellOutcome]) {
        let names = comparison.initializations.map(\.name)
        func point(_ key: CellKey) -> Point { Point(size: key.size, run: Run(key)) }
        let finished = names.map { name in Set(outcomes.keys.filter { $0.initialization == name }.map(point)) }
        let shared = finished.dropFirst().reduce(finished[0]) { $0.intersection($1) }
        let sizes = Set(shared.map(\.size)).sorted()
        let cells = outcomes.filter { shared.contains(point($0.key)) }
        let cases = Set(cells.values.flatMap { $0.cases.map(\.name) }).sorted()
        let rows = names.map { name in
            let tables = sizes.map { size in
                let own = cells.filter { $0.key.initialization == name && $0.key.size == size }
                return DiceTable(
                    comparison, own.map { ($0.key, $0.value) }, runs: Set(own.keys.map { Run($0) }).sorted(),
                    cases: cases)
            }
            return cases.indices.map { item in Scores(tables.map { $0.mean(ofCase: item) }).mean }
        }
        let kept = cases.indices.filter { item in rows.allSatisfy { !$0[item].isNaN } }
        guard !kept.isEmpty else { return nil }
        initializations = names
        self.cases = kept.map { cases[$0] }
        dice = rows.map { row in kept.map { row[$0] } }
    }

    /// The initializations ranked on these cases.
    public var ranking: Ranking { Ranking(methods: initializations, scores: [dice]) }

    private struct Point: Hashable {
        var size: TrainingSize
        var run: Run
    }
}
