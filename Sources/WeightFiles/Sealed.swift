import Foundation

/// A value that is kept as JSON and carries a checksum of all its other entries.
public protocol Sealed: Codable {
    /// The CRC-32 of the canonical JSON of the value with a checksum of 0.
    var checksum: UInt32 { get set }
}

extension Sealed {
    /// The value with the checksum that belongs to it.
    public func sealed() throws -> Self {
        var copy = self
        copy.checksum = try computedChecksum()
        return copy
    }

    /// Whether the value is as it was when it was sealed.
    public var isIntact: Bool { (try? computedChecksum()) == checksum }

    private func computedChecksum() throws -> UInt32 {
        var copy = self
        copy.checksum = 0
        return CRC32.of(try JSONEncoder.canonical.encode(copy))
    }
}

extension JSONEncoder {
    /// Keys sorted, so that equal values give equal bytes.
    public static var canonical: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return encoder
    }
}
