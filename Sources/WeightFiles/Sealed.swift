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

    /// The bytes of the value's file, its checksum among the entries.
    public func sealedFile() throws -> Data { try JSONEncoder.canonical.encode(sealed()) }

    /// Reads a value from the bytes of its file. Its checksum is 0 then, as in a value that was never written.
    /// - Throws: ``SealError``.
    public init(sealedFile data: Data) throws {
        var value: Self
        do {
            value = try JSONDecoder().decode(Self.self, from: data)
        } catch DecodingError.keyNotFound(let key, _) where key.stringValue == "checksum" {
            throw SealError(description: "it has no checksum: an earlier version wrote it, or another tool")
        } catch let error as DecodingError {
            throw SealError(description: error.placeAndReason)
        }
        guard value.isIntact else { throw SealError(description: "its checksum is not the one recorded") }
        value.checksum = 0
        self = value
    }

    private func computedChecksum() throws -> UInt32 {
        var copy = self
        copy.checksum = 0
        return CRC32.of(try JSONEncoder.canonical.encode(copy))
    }
}

/// A sealed file that cannot be read, or is not as it was written.
public struct SealError: Error, CustomStringConvertible {
    /// What is wrong, as part of a sentence.
    public let description: String
}

extension JSONEncoder {
    /// Keys sorted, so that equal values give equal bytes.
    public static var canonical: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return encoder
    }
}

extension DecodingError {
    /// The key and what is wrong with it, in a few words.
    public var placeAndReason: String {
        let context: Context
        switch self {
        case .typeMismatch(_, let found), .valueNotFound(_, let found), .dataCorrupted(let found): context = found
        case .keyNotFound(let key, let found):
            let path = (found.codingPath + [key]).map(\.stringValue).joined(separator: ".")
            return "\(path) is missing"
        @unknown default: return "it is not valid JSON"
        }
        let path = context.codingPath.map(\.stringValue).joined(separator: ".")
        return path.isEmpty ? "it is not valid JSON" : "\(path): \(context.debugDescription)"
    }
}
