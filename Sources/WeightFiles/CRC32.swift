import CZlib
import Foundation

/// The cyclic redundancy check of gzip and PNG: it tells every flipped bit and every damage of up to 32 bits in a row.
public struct CRC32: Sendable {
    /// The check of the bytes so far.
    public private(set) var value: UInt32 = 0

    /// The check of nothing.
    public init() {}

    /// The check of `bytes`.
    public static func of(_ bytes: Data) -> UInt32 {
        var check = CRC32()
        check.add(bytes)
        return check.value
    }

    /// Goes on with more bytes.
    public mutating func add(_ bytes: Data) {
        bytes.withUnsafeBytes { bytes in
            guard let start = bytes.bindMemory(to: UInt8.self).baseAddress else { return }
            value = UInt32(truncatingIfNeeded: crc32_z(UInt(value), start, bytes.count))
        }
    }
}
