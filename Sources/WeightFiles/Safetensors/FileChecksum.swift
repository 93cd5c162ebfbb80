import Foundation

/// The checksum of a safetensors file: an entry of its metadata that gives the CRC-32 of all bytes of the file, with zeros in
/// the place of the entry's own digits.
enum FileChecksum {
    /// The key of the entry. Other tools hand metadata through or drop them.
    static let key = "warmstart.crc32"
    /// What stands in place of the digits when the checksum is computed.
    static let none = "00000000"

    /// Eight hexadecimal digits.
    static func text(_ checksum: UInt32) -> String {
        let digits = String(checksum, radix: 16)
        return String(repeating: "0", count: none.count - digits.count) + digits
    }

    /// Where the digits stand in a header's bytes. Within any other text of the header the quotes would be escaped.
    static func place(in head: Data) -> Range<Data.Index>? {
        guard let start = head.range(of: Data("\"\(key)\":\"".utf8))?.upperBound, head.endIndex - start >= none.count
        else { return nil }
        return start..<start + none.count
    }

    /// The checksum of a file with these bytes; nil if no digits stand where they should.
    static func of(head: Data, _ data: Data) -> UInt32? {
        guard let place = place(in: head) else { return nil }
        var head = head
        head.replaceSubrange(place, with: Data(none.utf8))
        var check = CRC32()
        check.add(head)
        check.add(data)
        return check.value
    }
}
