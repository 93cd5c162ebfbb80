import Foundation

/// Bytes that are read from front to back. What is not there cannot be taken.
struct ByteCursor {
    /// All bytes, those before ``position`` too.
    let bytes: Data
    /// The index in ``bytes`` of the next one.
    private(set) var position: Data.Index
    /// What is thrown where the bytes end too early.
    let shortfall: PyTorchError

    /// A cursor at the first of `bytes`.
    init(_ bytes: Data, endingWith shortfall: PyTorchError) {
        (self.bytes, self.shortfall) = (bytes, shortfall)
        position = bytes.startIndex
    }

    /// The number of bytes that are left.
    var left: Int { bytes.endIndex - position }

    /// The next `count` bytes, without a copy.
    mutating func take(_ count: Int) throws -> Data {
        guard count >= 0, count <= left else { throw shortfall }
        defer { position += count }
        return bytes[position..<position + count]
    }

    /// The next byte.
    mutating func byte() throws -> UInt8 {
        guard left > 0 else { throw shortfall }
        defer { position += 1 }
        return bytes[position]
    }

    /// The next little-endian integer.
    mutating func integer<Integer: FixedWidthInteger>(_ type: Integer.Type = Integer.self) throws -> Integer {
        try take(MemoryLayout<Integer>.size).littleEndianInteger()
    }

    /// The next little-endian integer, as a number of bytes; none are left for a number that no file can have.
    mutating func count<Integer: FixedWidthInteger>(_ type: Integer.Type) throws -> Int {
        guard let count = Int(exactly: try integer(type)) else { throw shortfall }
        return count
    }

    /// The bytes up to the next line feed, which is dropped.
    mutating func line() throws -> Data {
        guard let end = bytes[position...].firstIndex(of: UInt8(ascii: "\n")) else { throw shortfall }
        defer { position = end + 1 }
        return bytes[position..<end]
    }
}

extension Data {
    /// The first bytes as a little-endian integer.
    /// - Precondition: there are as many as the type has.
    func littleEndianInteger<Integer: FixedWidthInteger>() -> Integer {
        Integer(littleEndian: withUnsafeBytes { $0.loadUnaligned(as: Integer.self) })
    }
}
