import CZlib
import Foundation

/// The parts of a zip archive as `torch.save` writes it: records stored as they are, their bytes at multiples of 64 so
/// that readers can map them.
struct ZipWriter {
    private static let alignment = 64

    private var entries = Data()
    private var count: UInt16 = 0
    private var position = 0

    /// The bytes that an archive may have at most: more would need zip64.
    static let greatestSize = Int(UInt32.max)

    /// What stands before the bytes of the next record.
    mutating func header(of name: String, _ content: Data) -> Data {
        let checksum = content.withUnsafeBytes { crc32_z(0, $0.bindMemory(to: UInt8.self).baseAddress, $0.count) }
        var fields = Data()
        fields.append(littleEndian: UInt32(truncatingIfNeeded: content.isEmpty ? 0 : checksum))
        fields.append(littleEndian: UInt32(content.count))
        fields.append(littleEndian: UInt32(content.count))
        fields.append(littleEndian: UInt16(name.utf8.count))

        // An extra field of the kind "FB" moves the content to the next multiple.
        let (headerCount, extraHeaderCount) = (30, 4)
        let start = position + headerCount + name.utf8.count + extraHeaderCount
        let padding = (Self.alignment - start % Self.alignment) % Self.alignment
        var header = ZipArchive.signature + Self.versionAndTime
        header += fields
        header.append(littleEndian: UInt16(extraHeaderCount + padding))
        header += Data(name.utf8) + Data("FB".utf8)
        header.append(littleEndian: UInt16(padding))
        header += Data(repeating: UInt8(ascii: "Z"), count: padding)

        entries += Data([0x50, 0x4B, 0x01, 0x02, 0, 0]) + Self.versionAndTime
        entries += fields
        entries += Data(count: 12)
        entries.append(littleEndian: UInt32(position))
        entries += Data(name.utf8)

        position += header.count + content.count
        count += 1
        return header
    }

    /// What stands behind the last record.
    func directory() -> Data {
        var end = Data([0x50, 0x4B, 0x05, 0x06, 0, 0, 0, 0])
        end.append(littleEndian: count)
        end.append(littleEndian: count)
        end.append(littleEndian: UInt32(entries.count))
        end.append(littleEndian: UInt32(position))
        end += Data(count: 2)
        return entries + end
    }

    /// Version 0, no flags, stored, and the earliest date that a zip archive knows: the same content gives the same bytes.
    private static let versionAndTime = Data([0, 0, 0, 0, 0, 0, 0, 0, 0x21, 0])
}
