import Foundation
import Tensors

extension Draws.Purpose {
    fileprivate static let mutation: Self = "mutation"
}

/// Damages bytes as disks, networks and attackers do; the same number gives the same damage.
struct Mutator {
    private var draws: Draws

    init(number: Int) { draws = Draws(seed: 20_251_121, purpose: .mutation, step: number) }

    /// Which of so many files to damage.
    mutating func choice(of count: Int) -> Int { draws.integer(in: 0..<count) }

    /// One to four damages, one after the other.
    mutating func damaged(_ content: Data) -> Data {
        var bytes = content
        for _ in 0..<draws.integer(in: 1...4) where !bytes.isEmpty { damage(&bytes) }
        return bytes
    }

    /// Damages text: its bytes, or a number in it, or a line.
    mutating func damagedText(_ content: Data) -> Data {
        guard draws.integer(in: 0..<3) > 0 else { return damaged(content) }
        var text = String(decoding: content, as: UTF8.self)
        for _ in 0..<draws.integer(in: 1...3) {
            if draws.integer(in: 0..<3) > 0 {
                let numbers = text.ranges(of: /-?[0-9]+(\.[0-9]+)?/)
                guard !numbers.isEmpty else { continue }
                let range = numbers[draws.integer(in: 0..<numbers.count)]
                text.replaceSubrange(range, with: Self.oddities[draws.integer(in: 0..<Self.oddities.count)])
            } else {
                var lines = text.components(separatedBy: "\n")
                let (from, to) = (draws.integer(in: 0..<lines.count), draws.integer(in: 0..<lines.count))
                if draws.integer(in: 0..<2) == 0 { lines.remove(at: from) } else { lines.insert(lines[from], at: to) }
                text = lines.joined(separator: "\n")
            }
        }
        return Data(text.utf8)
    }

    private static let oddities = [
        "-1", "0", "1", "3", "32767", "-32768", "2147483648", "1000000000000", "9223372036854775807",
        "-9223372036854775808", "9223372036854775808", "1e30", "1e400", "-0.5", "1e-320", "nan", ".inf", "null", "true",
        "\"x\"", "[]", "{}", "[1, 2]", "[[[[[[[[[]]]]]]]]]", "&a [*a]", "*b", "!!binary x", "\u{0}", "\u{202E}",
    ]

    /// Damages the pickle in a zip archive and makes the checksum right again, so that readers see the pickle; nil where
    /// the bytes are no archive with a stored pickle.
    mutating func damagedPickle(_ content: Data) -> Data? {
        var bytes = Data(content)
        guard let name = bytes.range(of: Data("/data.pkl".utf8), options: .backwards),
            let entry = bytes.range(of: Data([0x50, 0x4B, 1, 2]), options: .backwards, in: 0..<name.lowerBound)?
                .lowerBound
        else { return nil }
        func number(_ place: Int, _ count: Int) -> Int {
            (0..<count).reversed().reduce(0) { $0 << 8 | Int(bytes[place + $1]) }
        }
        let (method, size, header) = (number(entry + 10, 2), number(entry + 24, 4), number(entry + 42, 4))
        guard method == 0, header < entry else { return nil }
        let start = header + 30 + number(header + 26, 2) + number(header + 28, 2)
        guard size > 0, start + size <= entry else { return nil }
        for _ in 0..<draws.integer(in: 1...3) {
            bytes[start + draws.integer(in: 0..<size)] = UInt8(draws.integer(in: 0..<256))
        }
        let checksum = Self.checksum(bytes[start..<start + size])
        for (index, byte) in withUnsafeBytes(of: checksum.littleEndian, Array.init).enumerated() {
            bytes[entry + 16 + index] = byte
        }
        return bytes
    }

    /// CRC-32, bit by bit.
    private static func checksum(_ bytes: Data) -> UInt32 {
        ~bytes.reduce(0xFFFF_FFFF as UInt32) { sum, byte in
            (0..<8).reduce(sum ^ UInt32(byte)) { value, _ in value >> 1 ^ (value & 1 == 1 ? 0xEDB8_8320 : 0) }
        }
    }

    private mutating func damage(_ bytes: inout Data) {
        let place = draws.integer(in: 0..<bytes.count)
        switch draws.integer(in: 0..<8) {
        case 0: bytes[place] ^= 1 << UInt8(draws.integer(in: 0..<8))
        case 1: bytes[place] = UInt8(draws.integer(in: 0..<256))
        case 2: overwrite(&bytes, at: place, with: [0, 1, 0x7F, 0x80, 0xFF][draws.integer(in: 0..<5)], count: 1)
        case 3:
            // A field of two, four or eight bytes becomes 0, the largest or the smallest number.
            let count = 2 << draws.integer(in: 0..<3)
            overwrite(&bytes, at: place, with: [0, 0xFF, 0x7F][draws.integer(in: 0..<3)], count: count)
        case 4: bytes = bytes.prefix(place)
        case 5: bytes.removeSubrange(place..<min(bytes.count, place + draws.integer(in: 1...16)))
        case 6:
            let count = min(bytes.count - place, draws.integer(in: 1...64))
            bytes.insert(contentsOf: Data(bytes[place..<place + count]), at: draws.integer(in: 0...bytes.count))
        default:
            let noise = (0..<draws.integer(in: 1...8)).map { _ in UInt8(draws.integer(in: 0..<256)) }
            bytes.insert(contentsOf: noise, at: place)
        }
        bytes = Data(bytes)
    }

    private func overwrite(_ bytes: inout Data, at place: Int, with value: UInt8, count: Int) {
        for index in place..<min(bytes.count, place + count) { bytes[index] = value }
    }
}
