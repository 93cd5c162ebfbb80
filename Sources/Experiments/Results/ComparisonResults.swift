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
    /// How well the networks know where they are wrong, by initialization, then size.
    public var calibration: [CalibrationRow]
    /// The same on each other dataset.
    public var transfers: [TransferFindings]
    /// How stable the ranking of the initializations is, by the Dice of each test case over all training-set sizes that
    /// every initialization has finished; nil without such cases, or for a single initialization.
    public var ranks: RankStability?
    /// What ``ranks`` are made of.
    public var caseScores: CaseScoreTable?

    /// The results of the finished cells. Differences use only runs that both initializations have finished.
    /// - Parameter transfers: what their networks gave on other datasets, by the target's name.
    public init(
        _ comparison: Comparison, outcomes: [CellKey: CellOutcome], transfers: [String: [CellKey: CellOutcome]] = [:],
        bootstrap: Bootstrap = Bootstrap()
    ) {
        self.comparison = comparison
        self.bootstrap = bootstrap
        finishedCells = outcomes.count
        allCells =
            comparison.initializations.count * comparison.sizes.count * comparison.folds.count * comparison.seeds.count
        let findings = Findings(comparison, outcomes: outcomes, bootstrap: bootstrap)
        (groups, differences, overall) = (findings.groups, findings.differences, findings.overall)
        (verdicts, calibration) = (findings.verdicts, findings.calibration)
        self.transfers = comparison.transfer.map { target in
            TransferFindings(comparison, target: target, outcomes: transfers[target.name] ?? [:], bootstrap: bootstrap)
        }
        caseScores = CaseScoreTable(comparison, outcomes)
        ranks = caseScores.flatMap {
            $0.initializations.count > 1 && comparison.metric == nil
                ? RankStability($0.ranking, seed: bootstrap.seed) : nil
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
