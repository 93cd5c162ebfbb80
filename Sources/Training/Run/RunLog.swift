import Foundation
import WeightFiles

/// What happened at one step: a line of `log.jsonl`.
public struct LogEntry: Codable, Hashable, Sendable {
    /// The step, counted from 0.
    public var step: Int
    /// The loss of the step's batch.
    public var loss: Double?
    /// The parts of the loss.
    public var parts: [String: Double]?
    /// The learning rate.
    public var learningRate: Double?
    /// The norm of all gradients before clipping.
    public var gradientNorm: Double?
    /// What the gradients were multiplied by because they were too long; nil if they were not.
    public var clipping: Double?
    /// How long the step took.
    public var seconds: Double?
    /// The stage of the schedule.
    public var stage: String?
    /// The numbers of a validation after this step.
    public var validation: [String: Double]?

    enum CodingKeys: String, CodingKey {
        case step, loss, parts, clipping, seconds, stage, validation
        case learningRate = "lr"
        case gradientNorm = "grad_norm"
    }

    /// An entry.
    public init(
        step: Int, loss: Double? = nil, parts: [String: Double]? = nil, learningRate: Double? = nil,
        gradientNorm: Double? = nil, clipping: Double? = nil, seconds: Double? = nil, stage: String? = nil,
        validation: [String: Double]? = nil
    ) {
        (self.step, self.loss, self.parts, self.learningRate) = (step, loss, parts, learningRate)
        (self.gradientNorm, self.clipping, self.seconds) = (gradientNorm, clipping, seconds)
        (self.stage, self.validation) = (stage, validation)
    }
}

/// The file `log.jsonl`: one JSON object per line, each written in one piece as soon as it is known. The same numbers go to
/// `events.out.tfevents.warmstart` beside it, for TensorBoard.
public struct RunLog {
    /// The file.
    public let path: String
    /// All entries so far.
    public private(set) var entries: [LogEntry] = []
    private let file: FileHandle
    private let events: EventFile

    /// Opens the log and forgets what it says about `step` and later ones, which will be made again.
    /// - Throws: `FileError`.
    public init(path: String, before step: Int) throws {
        self.path = path
        if access(path, F_OK) == 0 { entries = try Self.read(path).filter { $0.step < step } }
        try AtomicFile.write(try entries.map(Self.line).joined(), to: path)
        guard let file = FileHandle(forWritingAtPath: path) else { throw FileError("write", path) }
        self.file = file
        try file.seekToEnd()
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        events = try EventFile(path: "\(folder)\(EventFile.name)", before: step)
    }

    /// Appends an entry.
    /// - Throws: `FileError`, for example when the disk is full.
    public mutating func append(_ entry: LogEntry) throws {
        entries.append(entry)
        do {
            try file.write(contentsOf: Data(Self.line(entry).utf8))
        } catch {
            throw FileError("write", path, error)
        }
        try events.append(entry)
    }

    /// Flushes the log to the disk.
    /// - Throws: `FileError`.
    public func synchronize() throws {
        do { try file.synchronize() } catch { throw FileError("write", path, error) }
    }

    /// The entries of a log, up to the first line that is no entry: a killed process may leave half a line.
    /// - Throws: `FileError` if the file cannot be read.
    public static func read(_ path: String) throws -> [LogEntry] {
        let content: Data
        do {
            content = try Data(contentsOf: URL(filePath: path))
        } catch {
            throw FileError("read", path, error)
        }
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        var entries: [LogEntry] = []
        for line in content.split(separator: UInt8(ascii: "\n")) {
            guard let entry = try? decoder.decode(LogEntry.self, from: line) else { break }
            entries.append(entry)
        }
        return entries
    }

    private static func line(_ entry: LogEntry) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return String(decoding: try encoder.encode(entry), as: UTF8.self) + "\n"
    }
}
