import CZlib

/// Compresses a stream of bytes to gzip. The same bytes give the same file: no time or name is stored.
final class GzipDeflater {
    private var stream = z_stream()
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)

    /// - Parameters:
    ///   - path: the file, to name in errors.
    ///   - level: 1 (fast) to 9 (small).
    init(path: String, level: Int) throws {
        let (gzip, memoryLevel): (Int32, Int32) = (16 + MAX_WBITS, 8)
        let result = deflateInit2_(
            &stream, Int32(level), Z_DEFLATED, gzip, memoryLevel, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard result == Z_OK else { throw NIfTIError(.inputOutput, path: path, "cannot start zlib (status \(result))") }
    }

    deinit {
        deflateEnd(&stream)
        buffer.deallocate()
    }

    /// Takes `bytes` and returns what comes out so far, perhaps nothing.
    func compressed(_ bytes: [UInt8]) -> [UInt8] {
        bytes.withUnsafeBufferPointer { input in
            stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
            stream.avail_in = UInt32(input.count)
            return drain(Z_NO_FLUSH)
        }
    }

    /// Ends the stream and returns the rest of it.
    func end() -> [UInt8] {
        stream.avail_in = 0
        return drain(Z_FINISH)
    }

    private func drain(_ flush: Int32) -> [UInt8] {
        var output: [UInt8] = []
        repeat {
            stream.next_out = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
            stream.avail_out = UInt32(buffer.count)
            deflate(&stream, flush)
            output += UnsafeRawBufferPointer(rebasing: buffer[..<(buffer.count - Int(stream.avail_out))])
        } while stream.avail_out == 0
        return output
    }
}
