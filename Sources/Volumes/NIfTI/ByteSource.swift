import CZlib
import Foundation

/// A file read from front to back, decompressed on the way if its name ends in `.gz`. Memory is constant.
final class ByteSource {
    let path: String
    /// The size of the file on disk.
    let fileSize: Int
    let isCompressed: Bool

    private let descriptor: Int32
    private var stream = z_stream()
    private var compressed = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
    private var hasEnded = false

    init(path: String) throws {
        self.path = path
        isCompressed = path.lowercased().hasSuffix(".gz")
        // Without waiting: opening a pipe would block until someone writes to it.
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        var status = stat()
        let isRegular = descriptor >= 0 && fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        let reason = descriptor < 0 ? String(cString: strerror(errno)) : "it is not a regular file"
        fileSize = Int(status.st_size)
        guard isRegular else { throw NIfTIError(.inputOutput, path: path, "cannot read: \(reason)") }
        guard isCompressed else { return }
        let gzipOnly: Int32 = 16 + MAX_WBITS
        let result = inflateInit2_(&stream, gzipOnly, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard result == Z_OK else { throw NIfTIError(.inputOutput, path: path, "cannot start zlib (status \(result))") }
    }

    deinit {
        if isCompressed { inflateEnd(&stream) }
        if descriptor >= 0 { close(descriptor) }
        compressed.deallocate()
    }

    /// Fills `buffer` as far as the content goes.
    ///
    /// - Returns: the number of bytes read, less than asked only at the end of the content.
    /// - Throws: ``NIfTIError`` `truncated` or `corrupt_gzip` if the compressed stream ends early or is damaged.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        var filled = 0
        while filled < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
            let count = isCompressed ? try inflateSome(into: rest) : try readFile(into: rest)
            if count == 0 { break }
            filled += count
        }
        return filled
    }

    /// Reads and drops up to `count` bytes; to the end of the content (verifying a gzip stream's checksum) without a count.
    ///
    /// - Returns: the number of bytes there were.
    @discardableResult
    func skip(_ count: Int = .max) throws -> Int {
        let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: min(count, 1 << 18), alignment: 16)
        defer { scratch.deallocate() }
        var skipped = 0
        while skipped < count {
            let wanted = min(count - skipped, scratch.count)
            let found = try read(into: UnsafeMutableRawBufferPointer(rebasing: scratch[..<wanted]))
            skipped += found
            if found < wanted { break }
        }
        return skipped
    }

    private func readFile(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        while true {
            let count = Foundation.read(descriptor, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            guard errno == EINTR else {
                throw NIfTIError(.inputOutput, path: path, "cannot read: \(String(cString: strerror(errno)))")
            }
        }
    }

    /// Inflates at least one byte into `buffer`; 0 at the end. A file may be several gzip members, one after the other;
    /// what follows the last one (padding, usually zeros) is ignored, as gzip does.
    private func inflateSome(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        while !hasEnded {
            if stream.avail_in == 0 { try refill() }
            let output = min(buffer.count, Int(UInt32.max))
            stream.next_out = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
            stream.avail_out = UInt32(output)
            let result = inflate(&stream, Z_NO_FLUSH)
            let produced = output - Int(stream.avail_out)
            switch result {
            case Z_STREAM_END: try startNextMember()
            case Z_OK, Z_BUF_ERROR:
                if produced == 0, stream.avail_in == 0 {
                    try refill()
                    if stream.avail_in == 0 {
                        throw NIfTIError(
                            .truncated, path: path,
                            "the gzip stream ends too early; the file is incomplete, copy it again")
                    }
                }
            default:
                let isGzip = stream.total_in > 2
                let reason = stream.msg.map { String(cString: $0) } ?? "status \(result)"
                throw NIfTIError(
                    .corruptGzip, path: path,
                    isGzip
                        ? "the gzip stream is damaged (\(reason)); copy the file again"
                        : "the file is named .gz but is not compressed; rename it")
            }
            if produced > 0 { return produced }
        }
        return 0
    }

    private func startNextMember() throws {
        if stream.avail_in < 2 { try refill() }
        guard stream.avail_in >= 2, let next = stream.next_in, next[0] == 0x1f, next[1] == 0x8b else {
            hasEnded = true
            return
        }
        inflateReset(&stream)
    }

    /// Appends bytes of the file to what zlib has not taken yet.
    private func refill() throws {
        let left = Int(stream.avail_in)
        if left > 0, let next = stream.next_in { memmove(compressed.baseAddress!, next, left) }
        let count = try readFile(into: UnsafeMutableRawBufferPointer(rebasing: compressed[left...]))
        stream.next_in = compressed.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.avail_in = UInt32(left + count)
    }
}
