import Foundation
import Testing
import Training

struct PictureTests {
    /// The checksum of the PNG specification, bit by bit.
    static func crc(_ bytes: some Sequence<UInt8>) -> UInt32 {
        var sum = ~UInt32(0)
        for byte in bytes {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 1 ? (sum >> 1) ^ 0xEDB8_8320 : sum >> 1 }
        }
        return ~sum
    }

    @Test(arguments: [1, 3]) func aPNGHasItsChunks(channels: Int) {
        let picture = Picture(width: 5, height: 3, pixels: (0..<15 * channels).map { UInt8($0 * 4) })
        var rest = Array(picture.png)
        #expect(rest.prefix(8) == [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
        rest.removeFirst(8)
        var types: [String] = []
        while !rest.isEmpty {
            func number(_ start: Int) -> Int { rest[start..<start + 4].reduce(0) { $0 << 8 | Int($1) } }
            let length = number(0)
            types.append(String(decoding: rest[4..<8], as: UTF8.self))
            #expect(number(8 + length) == Int(Self.crc(rest[4..<8 + length])))
            if types.last == "IHDR" {
                #expect(Array(rest[8..<8 + length]) == [0, 0, 0, 5, 0, 0, 0, 3, 8, channels == 1 ? 0 : 2, 0, 0, 0])
            }
            rest.removeFirst(12 + length)
        }
        #expect(types == ["IHDR", "IDAT", "IEND"])
    }

    @Test func numbersBecomeGrays() {
        let picture = Picture(width: 4, height: 1, values: [-5, 0, 1, .nan], range: -1...1)
        #expect(picture.pixels == [0, 127, 255, 0])
    }
}
