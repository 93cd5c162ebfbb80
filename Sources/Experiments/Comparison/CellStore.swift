import Foundation
import WeightFiles

/// The finished cells of a comparison on disk: `cells/ID/result.json` each, written as a whole or not at all.
struct CellStore {
    /// The comparison's folder.
    let folder: String

    /// What `result.json` holds.
    private struct Result: Codable {
        var cell: Cell
        var outcome: CellOutcome
    }

    /// The folder in which a cell works.
    func folder(of cell: Cell) -> String { "\(folder)/cells/\(cell.key.id)" }

    /// Whether any cell was ever started here.
    var isStarted: Bool { FileManager.default.fileExists(atPath: "\(folder)/cells") }

    /// The outcome of a finished cell, nil for one that is not finished.
    /// - Throws: ``ComparisonError/differentCell(file:difference:)`` if the outcome belongs to other settings.
    func outcome(of cell: Cell) throws -> CellOutcome? {
        let file = "\(folder(of: cell))/result.json"
        guard FileManager.default.fileExists(atPath: file) else { return nil }
        let result: Result
        do {
            result = try JSONDecoder().decode(Result.self, from: Data(contentsOf: URL(filePath: file)))
        } catch {
            throw ComparisonError.damagedCell(file: file, reason: error.localizedDescription)
        }
        if let difference = Self.difference(result.cell, cell) {
            throw ComparisonError.differentCell(file: file, difference: difference)
        }
        return result.outcome
    }

    /// Records that `cell` is finished.
    /// - Throws: ``ComparisonError/incompleteScores(_:_:)`` unless each test case has a score for each class.
    func record(_ outcome: CellOutcome, of cell: Cell) throws {
        let scored = Set(outcome.cases.map(\.name))
        if let missing = cell.testCases.first(where: { !scored.contains($0) }) {
            throw ComparisonError.incompleteScores(cell.key, "gave no score for the test case \(missing)")
        }
        guard scored.count == cell.testCases.count, outcome.cases.count == scored.count else {
            throw ComparisonError.incompleteScores(cell.key, "scored cases that are not in its test set")
        }
        guard outcome.cases.allSatisfy({ $0.dice.count == cell.classNames.count }) else {
            throw ComparisonError.incompleteScores(cell.key, "did not score all \(cell.classNames.count) classes")
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try AtomicFile.write(
            try encoder.encode(Result(cell: cell, outcome: outcome)), to: "\(folder(of: cell))/result.json")
    }

    /// The first setting in which two cells differ, in words.
    private static func difference(_ first: Cell, _ second: Cell) -> String? {
        if first.initialization != second.initialization { return "initialization" }
        if first.trainingCases != second.trainingCases { return "list of training cases" }
        if first.testCases != second.testCases { return "list of test cases" }
        if first.classNames != second.classNames { return "list of classes" }
        if first.recipe != second.recipe { return "fine-tuning recipe" }
        if first.arithmetic != second.arithmetic { return "precision or processor" }
        return first == second ? nil : "key"
    }
}
