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
        /// The network of a finished cell was tested on another dataset, with its mean Dice there.
        case tested(Cell, on: TransferTarget, dice: Double)
    }

    /// The results of the cells that are finished.
    /// - Throws: ``ComparisonError`` if a finished cell belongs to other settings.
    public func finishedResults() throws -> ComparisonResults { results(try Outcomes(comparison, in: folder)) }

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
        try CellStore.createFolder(folder)
        let lock = try FolderLock(folder, part: shard.lockName)
        defer { withExtendedLifetime(lock) {} }
        if shard == .whole { AtomicFile.removeTemporaries(in: folder) }
        let cells = comparison.cells
        let own = Set(shard.part(of: cells).map(\.key))
        // All finished cells are read, and checked, before hours are spent on the others.
        var outcomes = try Outcomes(comparison, in: folder)
        var found = 0
        for cell in cells {
            let isOwn = own.contains(cell.key)
            if isOwn, outcomes.cells[cell.key] == nil,
                let outcome = try store.reuse(cell, from: reused, for: comparison.transfer)
            {
                outcomes.cells[cell.key] = outcome
                try outcomes.readTransfers(of: cell, from: store, comparison)
            }
            guard outcomes.cells[cell.key] != nil else { continue }
            if isOwn { runner.cleanUp(store.folder(of: cell)) }
            found += 1
            report(.found(cell, finished: found, all: cells.count))
        }
        for cell in cells where own.contains(cell.key) && !outcomes.isComplete(cell, comparison) {
            let cellFolder = store.folder(of: cell)
            if outcomes.cells[cell.key] == nil {
                report(.started(cell, finished: outcomes.cells.count, all: cells.count))
                try CellStore.createFolder(cellFolder)
                let outcome = try runner.run(cell, in: cellFolder)
                try store.record(outcome, of: cell)
                runner.cleanUp(cellFolder)
                outcomes.cells[cell.key] = outcome
                report(
                    .finished(
                        cell, dice: DiceTable(comparison, [(cell.key, outcome)]).mean(),
                        finished: outcomes.cells.count, all: cells.count))
            }
            for target in comparison.transfer where outcomes.transfers[target.name]?[cell.key] == nil {
                let outcome = try runner.test(cell, on: target, in: cellFolder)
                try store.record(outcome, of: cell, on: target)
                outcomes.transfers[target.name, default: [:]][cell.key] = outcome
                report(.tested(cell, on: target, dice: DiceTable(comparison, [(cell.key, outcome)]).mean()))
            }
            if shard != .whole { outcomes = try Outcomes(comparison, in: folder) }
            try writeReport(outcomes)
        }
        return try writeReport(outcomes)
    }

    /// Writes the report anew from the cells that are finished, and runs none.
    /// - Throws: ``ComparisonError`` if a finished cell belongs to other settings; errors of files.
    @discardableResult
    public func report() throws -> ComparisonResults { try writeReport(try Outcomes(comparison, in: folder)) }

    private func results(_ outcomes: Outcomes) -> ComparisonResults {
        ComparisonResults(comparison, outcomes: outcomes.cells, transfers: outcomes.transfers, bootstrap: bootstrap)
    }

    @discardableResult
    private func writeReport(_ outcomes: Outcomes) throws -> ComparisonResults {
        let results = results(outcomes)
        let found = try evidence?.collect(comparison, outcomes: outcomes.cells, folder: folder, bootstrap: bootstrap)
        try AtomicFile.write(try results.encoded(), to: "\(folder)/comparison.json")
        if let analysis = found?.analysis {
            try AtomicFile.write(try analysis.encoded(), to: "\(folder)/analysis.json")
        }
        let page = ComparisonPage(results, analysis: found?.analysis, slices: found?.slices ?? [])
        try AtomicFile.write(page.html, to: "\(folder)/index.html")
        return results
    }
}

/// What the finished cells of a comparison gave.
private struct Outcomes {
    /// On the comparison's test cases.
    var cells: [CellKey: CellOutcome] = [:]
    /// On other datasets, by the target's name.
    var transfers: [String: [CellKey: CellOutcome]] = [:]

    /// Reads what a folder holds.
    /// - Throws: ``ComparisonError`` if a finished cell belongs to other settings or is damaged.
    init(_ comparison: Comparison, in folder: String) throws {
        let store = CellStore(folder: folder)
        for cell in comparison.cells {
            guard let outcome = try store.outcome(of: cell) else { continue }
            cells[cell.key] = outcome
            try readTransfers(of: cell, from: store, comparison)
        }
    }

    mutating func readTransfers(of cell: Cell, from store: CellStore, _ comparison: Comparison) throws {
        for target in comparison.transfer {
            transfers[target.name, default: [:]][cell.key] = try store.outcome(of: cell, on: target)
        }
    }

    /// Whether nothing is left to do for a cell.
    func isComplete(_ cell: Cell, _ comparison: Comparison) -> Bool {
        cells[cell.key] != nil && comparison.transfer.allSatisfy { transfers[$0.name]?[cell.key] != nil }
    }
}
