import CZlib
import Foundation

/// A zip archive in memory, as `torch.save` writes it: records that are stored or deflated.
///
/// Only the central directory is believed, and only after it was checked against the bytes. Nothing is ever unpacked to
/// a file, so names are only names. Format: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
struct ZipArchive {
    /// What the central directory says of a record.
    struct Entry {
        var name: String
        var method: UInt16
        var checksum: UInt32
        var size: Int
        /// The record's bytes in the archive, compressed or not.
        var stored: Data
    }

    /// The records by name.
    let entries: [String: Entry]

    /// How every zip archive begins.
    static let signature = Data([0x50, 0x4B, 0x03, 0x04])

    /// Reads the central directory.
    /// - Throws: ``PyTorchError`` `truncated` if there is none, `badArchive` if it contradicts the bytes or itself.
    init(_ bytes: Data, budget: inout ReadBudget) throws {
        let directory = try ZipDirectory(bytes)
        var entries: [String: Entry] = [:]
        var cursor = ByteCursor(directory.bytes, endingWith: ZipDirectory.damaged("its directory ends too early"))
        for _ in 0..<directory.count {
            let record = try ZipDirectory.Record(&cursor)
            try budget.pay(ReadBudget.bytesPerValue + record.name.utf8.count, for: "the archive's directory")
            guard record.flags & 1 == 0 else { throw ZipDirectory.damaged("'\(record.name)' is encrypted") }
            let entry = Entry(
                name: record.name, method: record.method, checksum: record.checksum, size: record.size,
                stored: try Self.storedBytes(of: record, in: bytes))
            guard entries.updateValue(entry, forKey: entry.name) == nil else {
                throw ZipDirectory.damaged("'\(entry.name)' is in it twice")
            }
        }
        self.entries = entries
    }

    /// The content of a record, compared with its checksum; a slice of the archive where it is not compressed.
    /// - Throws: ``PyTorchError``.
    func content(of entry: Entry, budget: inout ReadBudget) throws -> Data {
        let content: Data
        switch entry.method {
        case 0:
            guard entry.stored.count == entry.size else {
                throw ZipDirectory.damaged("'\(entry.name)' has two sizes, \(entry.stored.count) and \(entry.size)")
            }
            content = entry.stored
        case 8:
            try budget.pay(entry.size, for: "the compressed record '\(entry.name)'")
            guard let inflated = entry.stored.inflated(to: entry.size) else {
                throw ZipDirectory.damaged("the compressed record '\(entry.name)' is damaged")
            }
            content = inflated
        default:
            throw PyTorchError(
                .unsupportedCompression,
                "the record '\(entry.name)' is compressed by method \(entry.method). Save the weights again.")
        }
        let checksum = content.withUnsafeBytes { crc32_z(0, $0.bindMemory(to: UInt8.self).baseAddress, $0.count) }
        guard UInt32(truncatingIfNeeded: checksum) == entry.checksum || content.isEmpty else {
            throw PyTorchError(
                .badChecksum, "the record '\(entry.name)' was changed after it was written. Copy or download it again.")
        }
        return content
    }

    /// The bytes of a record, behind its local header.
    private static func storedBytes(of record: ZipDirectory.Record, in bytes: Data) throws -> Data {
        let outside = ZipDirectory.damaged("'\(record.name)' lies outside the file")
        var cursor = ByteCursor(bytes, endingWith: outside)
        _ = try cursor.take(record.offset)
        guard try cursor.take(4) == signature else { throw outside }
        _ = try cursor.take(22)
        let (name, extra) = (try cursor.count(UInt16.self), try cursor.count(UInt16.self))
        _ = try cursor.take(name + extra)
        return try cursor.take(record.storedSize)
    }
}

extension Data {
    /// What these bytes of a raw deflate stream stand for; nil unless they give exactly `size` bytes.
    fileprivate func inflated(to size: Int) -> Data? {
        var stream = z_stream()
        guard size >= 0, let input = UInt32(exactly: count), let output = UInt32(exactly: size), size > 0,
            inflateInit2_(&stream, -MAX_WBITS, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
        else { return size == 0 ? Data() : nil }
        defer { inflateEnd(&stream) }
        var result = Data(count: size)
        let status = withUnsafeBytes { source in
            result.withUnsafeMutableBytes { target in
                stream.next_in = UnsafeMutablePointer(mutating: source.bindMemory(to: UInt8.self).baseAddress)
                stream.avail_in = input
                stream.next_out = target.bindMemory(to: UInt8.self).baseAddress
                stream.avail_out = output
                return inflate(&stream, Z_FINISH)
            }
        }
        return status == Z_STREAM_END && stream.avail_out == 0 ? result : nil
    }
}
