import Evaluation
import Foundation
import Ranks
import WeightFiles

/// Runs a comparison in a folder, cell by cell, and reports what it has so far after each of them.
///
/// The folder holds `cells/ID/` for each run, `comparison.json` with all numbers, and the page `index.html`. A run that
/// was interrupted goes on where it stopped; sizes, seeds and initializations may be added to a finished one.
public struct ComparisonRun: Sendable {
    /// What is compared.
    public var comparison: Comparison
    /// Where everything is written.
    public var folder: String
    /// How intervals are computed.
    public var bootstrap = Bootstrap()
    /// Folders of other comparisons, whose finished cells are taken where they are equal in everything that decides the
    /// outcome: content of weights and data, cases, recipe, seed and arithmetic.
    public var reused: [String] = []
    /// Which of the cells to run; others are run elsewhere, in the same folder, and are part of the report when finished.
    public var shard = Shard.whole
    /// What the page shows of images and predictions; nil for scores only.
    public var evidence: ComparisonEvidence?

    /// A run of `comparison` in `folder`.
    public init(_ comparison: Comparison, folder: String) { (self.comparison, self.folder) = (comparison, folder) }

    /// What a run tells while it goes on.
    public enum Event: Sendable {
        /// A cell starts; `finished` of `all` are done.
        case started(Cell, finished: Int, all: Int)
        /// A cell was found finished.
        case found(Cell, finished: Int, all: Int)
        /// A cell is finished, with its mean Dice over cases and classes.
        case finished(Cell, dice: Double, finished: Int, all: Int)
    }

    /// The results of the cells that are finished.
    /// - Throws: ``ComparisonError`` if a finished cell belongs to other settings.
    public func finishedResults() throws -> ComparisonResults {
        ComparisonResults(comparison, outcomes: try finishedOutcomes(), bootstrap: bootstrap)
    }

    /// Runs every cell of the shard that is not finished.
    /// - Parameter resume: go on with what the folder holds; otherwise it must not hold a comparison, unless of other shards.
    /// - Throws: ``ComparisonError``, `FolderInUse`, or what the runner throws (an interruption, for example): finished cells stay
    ///   finished.
    @discardableResult
    public func run(
        with runner: some CellRunner, resume: Bool, report: (Event) -> Void = { _ in }
    ) throws -> ComparisonResults {
        let store = CellStore(folder: folder)
        if store.isStarted && !resume && shard == .whole { throw ComparisonError.alreadyStarted(folder: folder) }
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw FileError("create", folder, error)
        }
        let lock = try FolderLock(folder, part: shard.lockName)
        defer { withExtendedLifetime(lock) {} }
        if shard == .whole { AtomicFile.removeTemporaries(in: folder) }
        let cells = comparison.cells
        let own = Set(shard.part(of: cells).map(\.key))
        // All finished cells are read, and checked, before hours are spent on the others.
        var outcomes: [CellKey: CellOutcome] = [:]
        for cell in cells {
            let isOwn = own.contains(cell.key)
            guard let outcome = try store.outcome(of: cell) ?? (isOwn ? store.reuse(cell, from: reused) : nil) else {
                continue
            }
            if isOwn { runner.cleanUp(store.folder(of: cell)) }
            outcomes[cell.key] = outcome
            report(.found(cell, finished: outcomes.count, all: cells.count))
        }
        for cell in cells where own.contains(cell.key) && outcomes[cell.key] == nil {
            report(.started(cell, finished: outcomes.count, all: cells.count))
            let cellFolder = store.folder(of: cell)
            do {
                try FileManager.default.createDirectory(atPath: cellFolder, withIntermediateDirectories: true)
            } catch {
                throw FileError("create", cellFolder, error)
            }
            let outcome = try runner.run(cell, in: cellFolder)
            try store.record(outcome, of: cell)
            runner.cleanUp(cellFolder)
            outcomes[cell.key] = outcome
            if shard != .whole { outcomes.merge(try finishedOutcomes()) { own, _ in own } }
            try writeReport(ComparisonResults(comparison, outcomes: outcomes, bootstrap: bootstrap), outcomes)
            report(
                .finished(
                    cell, dice: DiceTable(comparison, [(cell.key, outcome)]).mean(), finished: outcomes.count,
                    all: cells.count))
        }
        let results = ComparisonResults(comparison, outcomes: outcomes, bootstrap: bootstrap)
        try writeReport(results, outcomes)
        return results
    }

    /// Writes the report anew from the cells that are finished, and runs none.
    /// - Throws: ``ComparisonError`` if a finished cell belongs to other settings; errors of files.
    @discardableResult
    public func report() throws -> ComparisonResults {
        let outcomes = try finishedOutcomes()
        let results = ComparisonResults(comparison, outcomes: outcomes, bootstrap: bootstrap)
        try writeReport(results, outcomes)
        return results
    }

    private func finishedOutcomes() throws -> [CellKey: CellOutcome] {
        let store = CellStore(folder: folder)
        var outcomes: [CellKey: CellOutcome] = [:]
        for cell in comparison.cells { outcomes[cell.key] = try store.outcome(of: cell) }
        return outcomes
    }

    private func writeReport(_ results: ComparisonResults, _ outcomes: [CellKey: CellOutcome]) throws {
        let found = try evidence?.collect(comparison, outcomes: outcomes, folder: folder, bootstrap: bootstrap)
        try AtomicFile.write(try results.encoded(), to: "\(folder)/comparison.json")
        if let analysis = found?.analysis {
            try AtomicFile.write(try analysis.encoded(), to: "\(folder)/analysis.json")
        }
        let page = ComparisonPage(results, analysis: found?.analysis, slices: found?.slices ?? [])
        try AtomicFile.write(page.html, to: "\(folder)/index.html")
    }
}
