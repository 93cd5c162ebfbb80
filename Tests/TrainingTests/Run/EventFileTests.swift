import Foundation
import Testing
import Training

@Suite("Event files for TensorBoard")
struct EventFileTests {
    @Test("the check is that of RFC 3720, B.4")
    func check() {
        #expect(CRC32C.of(Array(repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(CRC32C.of(Array(repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(CRC32C.of(Array(0..<32)) == 0x46DD_794E)
        #expect(CRC32C.of(Array("123456789".utf8)) == 0xE306_9283)
    }

    @Test("records hold steps and numbers, and a resumed log forgets what is made again")
    func records() throws {
        let folder = try TemporaryFolder()
        let file = folder("events.out.tfevents.warmstart")
        var log = try RunLog(path: folder("log.jsonl"), before: 0)
        for step in 0..<300 { try log.append(LogEntry(step: step, loss: 0.5, learningRate: 0.25)) }
        let before = try Self.records(file)
        #expect(before.count == 301)
        #expect(before[0].suffix(13) == Array("brain.Event:2".utf8))
        // Tag and 0.5 as a little-endian float, in a value of a summary.
        #expect(before[1].contains(sequence: [0x0A, 8] + Array("loss/all".utf8) + [0x15, 0, 0, 0, 0x3F]))
        // Step 200 as a variable-length integer.
        #expect(Array(before[201][9..<12]) == [0x10, 0xC8, 0x01])

        var resumed = try RunLog(path: folder("log.jsonl"), before: 200)
        #expect(try Self.records(file) == Array(before[...200]))
        try resumed.append(LogEntry(step: 200, validation: ["dice": 0.75]))
        let after = try Self.records(file)
        #expect(after.count == 202)
        #expect(after[201].contains(sequence: Array("validation/dice".utf8)))
    }

    @Test("half a record at the end is forgotten")
    func cutOff() throws {
        let folder = try TemporaryFolder()
        let file = folder("events.out.tfevents.warmstart")
        var log = try RunLog(path: folder("log.jsonl"), before: 0)
        for step in 0..<3 { try log.append(LogEntry(step: step, loss: 1)) }
        let whole = try Data(contentsOf: URL(filePath: file))
        try whole.dropLast(5).write(to: URL(filePath: file))
        _ = try RunLog(path: folder("log.jsonl"), before: 10)
        #expect(try Self.records(file).count == 3)
    }

    /// The contents of the records, their checks verified.
    private static func records(_ path: String) throws -> [[UInt8]] {
        var rest = [UInt8](try Data(contentsOf: URL(filePath: path)))[...]
        func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
        var records: [[UInt8]] = []
        while !rest.isEmpty {
            let length = Int(number(rest.prefix(8)))
            #expect(number(rest.dropFirst(8).prefix(4)) == UInt64(CRC32C.masked(Array(rest.prefix(8)))))
            let content = Array(rest.dropFirst(12).prefix(length))
            #expect(number(rest.dropFirst(12 + length).prefix(4)) == UInt64(CRC32C.masked(content)))
            records.append(content)
            rest = rest.dropFirst(16 + length)
        }
        return records
    }
}

extension [UInt8] {
    fileprivate func contains(sequence: [UInt8]) -> Bool {
        indices.contains { self[$0...].starts(with: sequence) }
    }
}
