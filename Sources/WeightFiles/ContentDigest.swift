import Foundation

/// A short name for the content of a file: equal for equal content, different (but for accidents) for any other.
public enum ContentDigest {
    /// The 64-bit FNV-1a hash of a file's bytes in hexadecimal. It tells files apart; it does not protect from forgery.
    /// - Throws: ``FileError`` if the file cannot be read.
    public static func ofFile(_ path: String) throws -> String {
        let content: Data
        do {
            content = try Data(contentsOf: URL(filePath: path), options: .mappedIfSafe)
        } catch {
            throw FileError("read", path, error)
        }
        return of(content)
    }

    /// The hash of `content`.
    public static func of(_ content: Data) -> String {
        let hash = content.withUnsafeBytes { bytes in
            bytes.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
        }
        return String(hash, radix: 16)
    }
}
