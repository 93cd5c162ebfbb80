import Foundation
import Synchronization
import WeightFiles

/// What was left out of a pre-training and why: the run's `left_out.json`, an object of reasons by name.
final class LeftOutReport: Sendable {
    static let fileName = "left_out.json"

    private let reasons = Mutex<[String: String]>([:])
    private let next: @Sendable (PretrainingNotice) -> Void

    /// A report that passes every notice on.
    init(passingOn next: @escaping @Sendable (PretrainingNotice) -> Void) { self.next = next }

    /// Takes note, on any thread.
    @Sendable func note(_ notice: PretrainingNotice) {
        if case .leftOut(let name, let reason) = notice { reasons.withLock { $0[name] = reason } }
        next(notice)
    }

    /// Writes the report.
    /// - Throws: `FileError`.
    func write(toRun folder: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try AtomicFile.write(try encoder.encode(reasons.withLock { $0 }), to: "\(folder)/\(Self.fileName)")
    }
}
