import CZstd
import Foundation
import Tensors

/// Compression with Zstandard, each piece a frame with its size and a checksum of its content (XXH64).
enum Zstandard {
    /// Why a frame cannot be unpacked.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// The frame that holds `content`.
    /// - Parameter level: 1 is fast; float images hardly shrink more at higher levels.
    static func compress(_ content: UnsafeRawBufferPointer, level: Int32) -> Data {
        let context = ZSTD_createCCtx()
        defer { ZSTD_freeCCtx(context) }
        ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level)
        ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
        var frame = Data(count: ZSTD_compressBound(content.count))
        let size = frame.withUnsafeMutableBytes { frame in
            ZSTD_compress2(context, frame.baseAddress, frame.count, content.baseAddress, content.count)
        }
        check(
            ZSTD_isError(size) == 0,
            "zstd cannot compress \(content.count) bytes: \(String(cString: ZSTD_getErrorName(size)))")
        return frame.prefix(size)
    }

    /// The largest frame that can hold `size` bytes.
    static func largestFrame(for size: Int) -> Int { ZSTD_compressBound(size) }

    /// Unpacks a frame whose content must fill `content` exactly. Nothing in the frame decides how much memory is used.
    static func decompress(_ frame: Data, into content: UnsafeMutableRawBufferPointer) throws(Failure) {
        let size = frame.withUnsafeBytes { frame in
            ZSTD_decompress(content.baseAddress, content.count, frame.baseAddress, frame.count)
        }
        guard ZSTD_isError(size) == 0 else { throw Failure(description: String(cString: ZSTD_getErrorName(size))) }
        guard size == content.count else { throw Failure(description: "\(size) bytes instead of \(content.count)") }
    }
}
