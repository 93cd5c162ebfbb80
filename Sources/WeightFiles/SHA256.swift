import Foundation

/// The hash by which published weights are checked: nobody can make another file with the same one. FIPS 180-4.
public enum SHA256 {
    /// The hash of a file's bytes in hexadecimal.
    /// - Throws: ``FileError`` if the file cannot be read.
    public static func ofFile(_ path: String) throws -> String {
        do {
            return hash(try Data(contentsOf: URL(filePath: path), options: .mappedIfSafe))
        } catch {
            throw FileError("read", path, error)
        }
    }

    /// The hash of bytes in hexadecimal.
    public static func hash(_ content: Data) -> String {
        var state: [UInt32] = [
            0x6A09_E667, 0xBB67_AE85, 0x3C6E_F372, 0xA54F_F53A, 0x510E_527F, 0x9B05_688C, 0x1F83_D9AB, 0x5BE0_CD19,
        ]
        let blockCount = content.count / 64
        content.withUnsafeBytes { bytes in
            for block in 0..<blockCount { mix(bytes[(64 * block)..<(64 * block + 64)], into: &state) }
        }
        // A one, zeros, and the number of bits, up to a whole block.
        var tail = [UInt8](content.suffix(content.count % 64)) + [0x80]
        tail += [UInt8](repeating: 0, count: (120 - tail.count) % 64)
        tail += withUnsafeBytes(of: UInt64(8 * content.count).bigEndian) { [UInt8]($0) }
        tail.withUnsafeBytes { bytes in
            for block in 0..<bytes.count / 64 { mix(bytes[(64 * block)..<(64 * block + 64)], into: &state) }
        }
        return state.map { word in
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 8 - digits.count) + digits
        }.joined()
    }

    private static func mix(_ block: Slice<UnsafeRawBufferPointer>, into state: inout [UInt32]) {
        let bytes = UnsafeRawBufferPointer(rebasing: block)
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 64) { schedule in
            for index in 0..<16 {
                schedule[index] = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self))
            }
            for index in 16..<64 {
                let (early, late) = (schedule[index - 15], schedule[index - 2])
                let first = early.rotated(7) ^ early.rotated(18) ^ early >> 3
                let second = late.rotated(17) ^ late.rotated(19) ^ late >> 10
                schedule[index] = schedule[index - 16] &+ first &+ schedule[index - 7] &+ second
            }
            var (a, b, c, d) = (state[0], state[1], state[2], state[3])
            var (e, f, g, h) = (state[4], state[5], state[6], state[7])
            for round in 0..<64 {
                let choice = (e & f) ^ (~e & g)
                let sum = e.rotated(6) ^ e.rotated(11) ^ e.rotated(25)
                let first = h &+ sum &+ choice &+ constants[round] &+ schedule[round]
                let majority = (a & b) ^ (a & c) ^ (b & c)
                let second = (a.rotated(2) ^ a.rotated(13) ^ a.rotated(22)) &+ majority
                (h, g, f, e) = (g, f, e, d &+ first)
                (d, c, b, a) = (c, b, a, first &+ second)
            }
            for (index, value) in [a, b, c, d, e, f, g, h].enumerated() { state[index] &+= value }
        }
    }

    /// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
    private static let constants: [UInt32] = primes(64).map { prime in
        // floor(cbrt(prime) * 2^32), exactly: the largest r with r^3 <= prime * 2^96.
        var root: UInt64 = 0
        for bit in (0..<35).reversed() {
            let candidate = root | 1 << UInt64(bit)
            if cubeFits(candidate, prime) { root = candidate }
        }
        return UInt32(truncatingIfNeeded: root)
    }

    /// Whether `root³ <= prime · 2^96`.
    private static func cubeFits(_ root: UInt64, _ prime: UInt64) -> Bool {
        let cube = UInt128(root) * UInt128(root) * UInt128(root)
        return cube <= UInt128(prime) << 96
    }

    private static func primes(_ count: Int) -> [UInt64] {
        var primes: [UInt64] = []
        var candidate: UInt64 = 2
        while primes.count < count {
            if !primes.contains(where: { candidate % $0 == 0 }) { primes.append(candidate) }
            candidate += 1
        }
        return primes
    }
}

extension UInt32 {
    fileprivate func rotated(_ count: UInt32) -> UInt32 { self >> count | self << (32 - count) }
}
