import Foundation
import WeightFiles

/// A run's numbers in the format that TensorBoard reads: one record for each logged step.
///
/// A record is the length of its content, a checksum of the length, the content, a checksum of the content (TFRecord). The
/// content is a protocol buffer, TensorFlow's `Event` with its `Summary`, of which only scalars are written.
struct EventFile {
    /// What the file is called in a run's folder; TensorBoard takes any name with `tfevents` in it.
    static let name = "events.out.tfevents.warmstart"

    private let path: String
    private let file: FileHandle

    /// Opens the file and forgets what it says about `step` and later ones, which will be made again.
    /// - Throws: `FileError`.
    init(path: String, before step: Int) throws {
        self.path = path
        let old = FileManager.default.contents(atPath: path).map(Self.events) ?? []
        let kept = old.filter { ($0.step ?? 0) < step }.map(\.content)
        // The first event of a file names the format.
        let records = kept.isEmpty ? [Self.version] : kept
        try AtomicFile.write(Data(records.flatMap(Self.record)), to: path)
        guard let file = FileHandle(forWritingAtPath: path) else { throw FileError("write", path) }
        self.file = file
        try file.seekToEnd()
    }

    /// Appends the numbers of an entry.
    /// - Throws: `FileError`, for example when the disk is full.
    func append(_ entry: LogEntry) throws {
        let event = Self.event(
            step: entry.step, wallTime: Date().timeIntervalSince1970, scalars: entry.scalars)
        do {
            try file.write(contentsOf: Data(Self.record(event)))
        } catch {
            throw FileError("write", path, error)
        }
    }

    /// `brain.Event:2`, the format of all event files since 2015.
    private static var version: [UInt8] {
        var event = ProtocolBuffer()
        event.add(double: Date().timeIntervalSince1970, field: 1)
        event.add(bytes: Array("brain.Event:2".utf8), field: 3)
        return event.bytes
    }

    /// An `Event`: wall time (1), step (2) and a `Summary` (5) of values (1), each with tag (1) and number (2).
    private static func event(step: Int, wallTime: Double, scalars: [(tag: String, value: Double)]) -> [UInt8] {
        var summary = ProtocolBuffer()
        for (tag, number) in scalars {
            var value = ProtocolBuffer()
            value.add(bytes: Array(tag.utf8), field: 1)
            value.add(float: Float(number), field: 2)
            summary.add(bytes: value.bytes, field: 1)
        }
        var event = ProtocolBuffer()
        event.add(double: wallTime, field: 1)
        event.add(integer: UInt64(step), field: 2)
        event.add(bytes: summary.bytes, field: 5)
        return event.bytes
    }

    private static func record(_ content: [UInt8]) -> [UInt8] {
        let length = littleEndian(UInt64(content.count))
        return length + littleEndian(CRC32C.masked(length)) + content + littleEndian(CRC32C.masked(content))
    }

    private static func littleEndian(_ number: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: number.littleEndian) { Array($0) }
    }

    /// The events of a file that this type has written, up to the first that is cut off or damaged.
    private static func events(in data: Data) -> [(step: Int?, content: [UInt8])] {
        let bytes = [UInt8](data)
        var events: [(step: Int?, content: [UInt8])] = []
        var start = 0
        while start + 16 <= bytes.count {
            let length = bytes[start..<start + 8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            guard length <= UInt64(bytes.count - start - 16) else { break }
            let content = Array(bytes[start + 12..<start + 12 + Int(length)])
            guard Array(bytes[start..<start + 16 + Int(length)]) == record(content) else { break }
            events.append((step(of: content), content))
            start += 16 + Int(length)
        }
        return events
    }

    /// The step of an event: the variable-length integer behind the wall time.
    private static func step(of content: [UInt8]) -> Int? {
        guard content.count > 9, content[9] == ProtocolBuffer.integerKey(field: 2) else { return nil }
        var (step, shift) = (0, 0)
        for byte in content[10...] {
            step |= Int(byte & 0x7F) << shift
            shift += 7
            if byte < 0x80 { return step }
            if shift > 56 { break }
        }
        return nil
    }
}

extension LogEntry {
    /// The numbers as TensorBoard shows them: what stands before the slash is a group.
    fileprivate var scalars: [(tag: String, value: Double)] {
        let single: [(String, Double?)] = [
            ("loss/all", loss), ("training/learning_rate", learningRate), ("training/gradient_norm", gradientNorm),
            ("training/seconds", seconds),
        ]
        return single.compactMap { tag, value in value.map { (tag, $0) } }
            + (parts ?? [:]).sorted { $0.key < $1.key }.map { ("loss/\($0.key)", $0.value) }
            + (validation ?? [:]).sorted { $0.key < $1.key }.map { ("validation/\($0.key)", $0.value) }
    }
}
