import Foundation
import WeightFiles

/// The finished cells of a comparison on disk: `cells/ID/result.json` each, and `cells/ID/transfer/NAME/scores.json` of other
/// datasets, written as a whole or not at all.
struct CellStore {
    /// The comparison's folder.
    let folder: String

    /// What `result.json` holds.
    private struct Result: Sealed {
        var cell: Cell
        var outcome: CellOutcome
        var checksum: UInt32 = 0
    }

    /// What `scores.json` holds.
    private struct TransferResult: Sealed {
        var cell: Cell
        var target: TransferTarget
        var outcome: CellOutcome
        var checksum: UInt32 = 0
    }

    private static let (resultName, transferName) = ("result.json", "scores.json")

    /// The folder in which a cell works.
    func folder(of cell: Cell) -> String { "\(folder)/cells/\(cell.key.id)" }

    /// The folder of what a cell's network gave on another dataset, in that of the cell.
    static func transferFolder(_ target: TransferTarget, in folder: String) -> String {
        "\(folder)/transfer/\(target.folderName)"
    }

    private func transferFile(_ target: TransferTarget, of cell: Cell) -> String {
        "\(Self.transferFolder(target, in: folder(of: cell)))/\(Self.transferName)"
    }

    /// Whether any cell was ever started here.
    var isStarted: Bool { FileManager.default.fileExists(atPath: "\(folder)/cells") }

    /// The outcome of a finished cell, nil for one that is not finished.
    /// - Throws: ``ComparisonError/differentCell(file:difference:)`` if the outcome belongs to other settings,
    ///   ``ComparisonError/damagedCell(file:reason:)``.
    func outcome(of cell: Cell) throws -> CellOutcome? {
        let file = "\(folder(of: cell))/\(Self.resultName)"
        guard let result: Result = try Self.read(file) else { return nil }
        if let difference = result.cell.difference(from: cell) {
            throw ComparisonError.differentCell(file: file, difference: difference)
        }
        return result.outcome
    }

    /// What the network of a finished cell gave on another dataset, nil if it was not tested there.
    /// - Throws: as ``outcome(of:)``.
    func outcome(of cell: Cell, on target: TransferTarget) throws -> CellOutcome? {
        let file = transferFile(target, of: cell)
        guard let result: TransferResult = try Self.read(file) else { return nil }
        if let difference = result.cell.difference(from: cell) ?? result.target.difference(from: target) {
            throw ComparisonError.differentCell(file: file, difference: difference)
        }
        return result.outcome
    }

    /// Reads a file of this store.
    /// - Returns: false for files that are none.
    /// - Throws: ``ComparisonError/damagedCell(file:reason:)``.
    static func verify(_ file: String) throws -> Bool {
        switch URL(filePath: file).lastPathComponent {
        case resultName: try (read(file) as Result?) != nil
        case transferName: try (read(file) as TransferResult?) != nil
        default: false
        }
    }

    private static func read<Value: Sealed>(_ file: String) throws -> Value? {
        guard FileManager.default.fileExists(atPath: file) else { return nil }
        do {
            return try Value(sealedFile: Data(contentsOf: URL(filePath: file)))
        } catch let error as SealError {
            throw ComparisonError.damagedCell(file: file, reason: "\(error)")
        } catch {
            throw ComparisonError.damagedCell(file: file, reason: error.localizedDescription)
        }
    }

    /// The outcome of an equal cell, whatever it is called there, that another comparison has finished; nil without any.
    /// Its predictions come along, and for `targets` its network and what that gave on equal datasets.
    /// - Throws: `FileError`; ``ComparisonError/damagedCell(file:reason:)``, not to train again in silence.
    func reuse(_ cell: Cell, from others: [String], for targets: [TransferTarget]) throws -> CellOutcome? {
        for other in others {
            for name in Self.names(in: "\(other)/cells") {
                let source = "\(other)/cells/\(name)"
                guard let result = try Self.read("\(source)/\(Self.resultName)") as Result?,
                    result.cell.difference(from: cell) == nil
                else { continue }
                // The network too: other datasets may be added later.
                for part in ["predictions", "weights.safetensors", "model.json"] {
                    try Self.copy("\(source)/run/\(part)", to: "\(folder(of: cell))/run", as: part)
                }
                for target in targets { try reuse(target, of: cell, from: source) }
                try record(result.outcome, of: cell)
                return result.outcome
            }
        }
        return nil
    }

    private func reuse(_ target: TransferTarget, of cell: Cell, from source: String) throws {
        for name in Self.names(in: "\(source)/transfer") {
            let place = "\(source)/transfer/\(name)"
            guard let result = try Self.read("\(place)/\(Self.transferName)") as TransferResult?,
                result.cell.difference(from: cell) == nil, result.target.difference(from: target) == nil
            else { continue }
            let own = Self.transferFolder(target, in: folder(of: cell))
            for part in ["predictions", "summary.json"] { try Self.copy("\(place)/\(part)", to: own, as: part) }
            return try record(result.outcome, of: cell, on: target)
        }
    }

    private static func names(in folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }

    /// Copies a file or folder if it is there and the copy is not.
    private static func copy(_ source: String, to folder: String, as name: String) throws {
        let files = FileManager.default
        do {
            try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
            guard files.fileExists(atPath: source), !files.fileExists(atPath: "\(folder)/\(name)") else { return }
            // Whole, or not at all.
            let unfinished = "\(folder)/\(name).partial"
            if files.fileExists(atPath: unfinished) { try files.removeItem(atPath: unfinished) }
            try files.copyItem(atPath: source, toPath: unfinished)
            try files.moveItem(atPath: unfinished, toPath: "\(folder)/\(name)")
        } catch {
            throw FileError("copy", source, error)
        }
    }

    /// Records that `cell` is finished.
    /// - Throws: ``ComparisonError/incompleteScores(_:_:)`` unless each test case has a score for each class.
    func record(_ outcome: CellOutcome, of cell: Cell) throws {
        try Self.check(outcome, of: cell, testCases: cell.testCases)
        try AtomicFile.write(
            try Result(cell: cell, outcome: outcome).sealedFile(), to: "\(folder(of: cell))/\(Self.resultName)")
    }

    /// Records what the network of `cell` gave on another dataset.
    /// - Throws: ``ComparisonError/incompleteScores(_:_:)`` unless each of its cases has a score for each class.
    func record(_ outcome: CellOutcome, of cell: Cell, on target: TransferTarget) throws {
        try Self.check(outcome, of: cell, testCases: target.cases)
        let result = TransferResult(cell: cell, target: target, outcome: outcome)
        try Self.createFolder(Self.transferFolder(target, in: folder(of: cell)))
        try AtomicFile.write(try result.sealedFile(), to: transferFile(target, of: cell))
    }

    /// Creates a folder with those above it.
    /// - Throws: `FileError`.
    static func createFolder(_ path: String) throws {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw FileError("create", path, error)
        }
    }

    private static func check(_ outcome: CellOutcome, of cell: Cell, testCases: [String]) throws {
        let scored = Set(outcome.cases.map(\.name))
        if let missing = testCases.first(where: { !scored.contains($0) }) {
            throw ComparisonError.incompleteScores(cell.key, "gave no score for the test case \(missing)")
        }
        guard scored.count == testCases.count, outcome.cases.count == scored.count else {
            throw ComparisonError.incompleteScores(cell.key, "scored cases that are not in its test set")
        }
        guard outcome.cases.allSatisfy({ $0.dice.count == cell.classNames.count }) else {
            throw ComparisonError.incompleteScores(cell.key, "did not score all \(cell.classNames.count) classes")
        }
    }
}
