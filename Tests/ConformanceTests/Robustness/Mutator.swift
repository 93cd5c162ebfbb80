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
