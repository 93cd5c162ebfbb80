import Foundation

/// The central directory of a zip archive, found from its end.
struct ZipDirectory {
    /// The directory's records, and nothing else.
    let bytes: Data
    /// The number of records that there should be.
    let count: Int

    /// One record of the directory.
    struct Record {
        var name: String
        var flags, method: UInt16
        var checksum: UInt32
        var storedSize, size, offset: Int

        /// Reads the record at the cursor.
        init(_ cursor: inout ByteCursor) throws {
            guard try cursor.integer(UInt32.self) == 0x0201_4B50 else {
                throw ZipDirectory.damaged("its directory has a hole")
            }
            _ = try cursor.take(4)
            (flags, method) = (try cursor.integer(), try cursor.integer())
            _ = try cursor.take(4)
            checksum = try cursor.integer()
            (storedSize, size) = (try cursor.count(UInt32.self), try cursor.count(UInt32.self))
            let (nameCount, extraCount) = (try cursor.count(UInt16.self), try cursor.count(UInt16.self))
            let commentCount = try cursor.count(UInt16.self)
            _ = try cursor.take(8)
            offset = try cursor.count(UInt32.self)
            name = String(decoding: try cursor.take(nameCount), as: UTF8.self)
            try widen(from: try cursor.take(extraCount))
            _ = try cursor.take(commentCount)
        }

        /// Takes the sizes that did not fit 32 bits from the extra field of a zip64 archive.
        private mutating func widen(from extra: Data) throws {
            var fields = ByteCursor(extra, endingWith: ZipDirectory.damaged("'\(name)' has a damaged extra field"))
            while fields.left >= 4 {
                let (kind, count) = (try fields.integer(UInt16.self), try fields.count(UInt16.self))
                var field = ByteCursor(try fields.take(count), endingWith: fields.shortfall)
                guard kind == 1 else { continue }
                for member in [\Self.size, \Self.storedSize, \Self.offset] where self[keyPath: member] == UInt32.max {
                    self[keyPath: member] = try field.count(UInt64.self)
                }
            }
        }
    }

    /// Finds the directory of the archive `archive`.
    init(_ archive: Data) throws {
        let cut = PyTorchError(
            .truncated, "the file ends before the directory of its zip archive. Copy or download it again.")
        let (endCount, longestComment) = (22, 0xFFFF)
        let tail = archive.suffix(endCount + longestComment)
        guard let end = tail.range(of: Data([0x50, 0x4B, 0x05, 0x06]), options: .backwards)?.lowerBound else {
            throw cut
        }
        var cursor = ByteCursor(archive[end...], endingWith: cut)
        _ = try cursor.take(10)
        var count = try cursor.count(UInt16.self)
        var size = try cursor.count(UInt32.self)
        var offset = try cursor.count(UInt32.self)
        _ = try cursor.take(try cursor.count(UInt16.self))
        if count == UInt16.max || size == UInt32.max || offset == UInt32.max,
            let wide = try Self.wideEnd(archive, before: end)
        {
            (count, size, offset) = wide
        }
        guard offset <= end - archive.startIndex, size <= end - archive.startIndex - offset else {
            throw ZipDirectory.damaged("its directory lies outside the file")
        }
        bytes = archive.dropFirst(offset).prefix(size)
        self.count = count
    }

    /// Number of records, size and offset of the directory of a zip64 archive; nil where there is no locator.
    private static func wideEnd(_ archive: Data, before end: Data.Index) throws -> (Int, Int, Int)? {
        let locatorCount = 20
        guard end - archive.startIndex >= locatorCount else { return nil }
        let outside = ZipDirectory.damaged("its directory lies outside the file")
        var locator = ByteCursor(archive[(end - locatorCount)..<end], endingWith: outside)
        guard try locator.integer(UInt32.self) == 0x0706_4B50 else { return nil }
        _ = try locator.take(4)
        var cursor = ByteCursor(archive, endingWith: outside)
        _ = try cursor.take(try locator.count(UInt64.self))
        guard try cursor.integer(UInt32.self) == 0x0606_4B50 else { throw outside }
        _ = try cursor.take(28)
        return (try cursor.count(UInt64.self), try cursor.count(UInt64.self), try cursor.count(UInt64.self))
    }

    /// The error for an archive that contradicts itself.
    static func damaged(_ problem: String) -> PyTorchError {
        PyTorchError(.badArchive, "the zip archive is damaged: \(problem). Copy or download it again.")
    }
}
