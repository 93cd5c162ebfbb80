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
        let result = try Self.result(file)
        if let difference = result.cell.difference(from: cell) {
            throw ComparisonError.differentCell(file: file, difference: difference)
        }
        return result.outcome
    }

    /// Reads a `result.json`.
    /// - Throws: ``ComparisonError/damagedCell(file:reason:)``.
    static func verify(_ file: String) throws { _ = try result(file) }

    private static func result(_ file: String) throws -> Result {
        do {
            return try JSONDecoder().decode(Result.self, from: Data(contentsOf: URL(filePath: file)))
        } catch {
            throw ComparisonError.damagedCell(file: file, reason: error.localizedDescription)
        }
    }

    /// The outcome of an equal cell, whatever it is called there, that another comparison has finished; nil without any.
    /// Its predictions come along.
    /// - Throws: `FileError`.
    func reuse(_ cell: Cell, from others: [String]) throws -> CellOutcome? {
        for other in others {
            let cells = "\(other)/cells"
            for name in ((try? FileManager.default.contentsOfDirectory(atPath: cells)) ?? []).sorted() {
                guard let data = FileManager.default.contents(atPath: "\(cells)/\(name)/result.json"),
                    let result = try? JSONDecoder().decode(Result.self, from: data),
                    result.cell.difference(from: cell) == nil
                else { continue }
                let (source, target) = ("\(cells)/\(name)/run/predictions", "\(folder(of: cell))/run")
                do {
                    try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
                    if FileManager.default.fileExists(atPath: source),
                        !FileManager.default.fileExists(atPath: "\(target)/predictions")
                    {
                        try FileManager.default.copyItem(atPath: source, toPath: "\(target)/predictions")
                    }
                } catch {
                    throw FileError("copy", source, error)
                }
                try record(result.outcome, of: cell)
                return result.outcome
            }
        }
        return nil
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
}
