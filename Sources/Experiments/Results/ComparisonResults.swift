import Evaluation
import Foundation

/// Everything a comparison found: scores of each initialization and size, paired differences to the baseline, and a
/// verdict on each initialization.
public struct ComparisonResults: Sendable, Codable {
    /// What was compared.
    public var comparison: Comparison
    /// The number of finished cells.
    public var finishedCells: Int
    /// The number of all cells.
    public var allCells: Int
    /// How intervals were computed.
    public var bootstrap: Bootstrap
    /// Scores by initialization, then size.
    public var groups: [GroupResult]
    /// Differences to the baseline by initialization, then size.
    public var differences: [PairedResult]
    /// Differences to the baseline over all sizes, by initialization.
    public var overall: [PairedResult]
    /// One verdict for each initialization but the baseline.
    public var verdicts: [Verdict]
    /// How stable the ranking of the initializations is, by the Dice of each test case over all training-set sizes that
    /// every initialization has finished; nil without such cases, or for a single initialization.
    public var ranks: RankStability?
    /// What ``ranks`` are made of.
    public var caseScores: CaseScoreTable?

    /// The results of the finished cells. Differences use only runs that both initializations have finished.
    public init(_ comparison: Comparison, outcomes: [CellKey: CellOutcome], bootstrap: Bootstrap = Bootstrap()) {
        self.comparison = comparison
        self.bootstrap = bootstrap
        finishedCells = outcomes.count
        allCells =
            comparison.initializations.count * comparison.sizes.count * comparison.folds.count * comparison.seeds.count

        func finished(_ initialization: Initialization, _ size: TrainingSize) -> [(CellKey, CellOutcome)] {
            outcomes.filter { $0.key.initialization == initialization.name && $0.key.size == size }
                .map { ($0.key, $0.value) }
        }
        groups = comparison.initializations.flatMap { initialization in
            comparison.sizes.compactMap { size in
                GroupResult(
                    comparison, initialization: initialization.name, size: size,
                    outcomes: finished(initialization, size), bootstrap: bootstrap)
            }
        }

        var differences: [PairedResult] = []
        var overall: [PairedResult] = []
        for initialization in comparison.initializations.dropFirst() {
            let pairs = comparison.sizes.map { (finished(initialization, $0), finished(comparison.baseline, $0)) }
            func compare(_ pairs: ArraySlice<([(CellKey, CellOutcome)], [(CellKey, CellOutcome)])>, size: TrainingSize?)
                -> PairedResult?
            {
                PairedResult(
                    initialization: initialization.name, baseline: comparison.baseline.name, size: size,
                    tables: Self.differences(comparison, Array(pairs)), bootstrap: bootstrap)
            }
            for (index, size) in comparison.sizes.enumerated() {
                if let result = compare(pairs[index...index], size: size) { differences.append(result) }
            }
            if let result = compare(pairs[...], size: nil) { overall.append(result) }
        }
        self.differences = differences.holmAdjusted()
        self.overall = overall.holmAdjusted()
        verdicts = self.overall.map { Verdict($0, of: comparison.scoreName, confidence: bootstrap.confidence) }
        caseScores = CaseScoreTable(comparison, outcomes)
        ranks = caseScores.flatMap {
            $0.initializations.count > 1 ? RankStability($0.ranking, seed: bootstrap.seed) : nil
        }
    }

    /// The tables of differences of several sizes, over the runs and cases that any of them has in common.
    static func differences(
        _ comparison: Comparison, _ pairs: [([(CellKey, CellOutcome)], [(CellKey, CellOutcome)])]
    ) -> [DiceTable] {
        let shared = pairs.map { first, second in
            let runs = Set(first.map { Run($0.0) }).intersection(second.map { Run($0.0) })
            return (first.filter { runs.contains(Run($0.0)) }, second.filter { runs.contains(Run($0.0)) })
        }
        let runs = Set(shared.flatMap { $0.0.map { Run($0.0) } }).sorted()
        let cases = Set(shared.flatMap { $0.0.flatMap { $0.1.cases.map(\.name) } }).sorted()
        return shared.map { first, second in
            DiceTable(comparison, first, runs: runs, cases: cases)
                - DiceTable(comparison, second, runs: runs, cases: cases)
        }
    }

    /// Reads a `comparison.json`.
    /// - Throws: ``ComparisonError/damagedResults(file:reason:)``.
    public init(contentsOf path: String) throws {
        do {
            self = try JSONDecoder().decode(Self.self, from: Data(contentsOf: URL(filePath: path)))
        } catch {
            throw ComparisonError.damagedResults(file: path, reason: error.localizedDescription)
        }
    }

    /// The bytes of `comparison.json`, keys sorted.
    public func encoded() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }
}
