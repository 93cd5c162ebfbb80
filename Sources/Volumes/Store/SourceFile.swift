import Foundation
import WeightFiles

/// A file that a stored case was made of, so that a file that was replaced since is noticed.
public struct SourceFile: Codable, Hashable, Sendable {
    /// The name, without the folder.
    public var name: String
    /// The size.
    public var bytes: Int
    /// The content, see `ContentDigest`.
    public var digest: String

    /// What is known of a file.
    public init(name: String, bytes: Int, digest: String) {
        (self.name, self.bytes, self.digest) = (name, bytes, digest)
    }

    /// The file at `path` as it is now.
    /// - Throws: `FileError`.
    public init(of path: String) throws {
        self.init(
            name: (path as NSString).lastPathComponent, bytes: try FileStatus(path).bytes,
            digest: try ContentDigest.ofFile(path))
    }

    /// How the file at `path` differs from this one, in words; nil if it is the same.
    ///
    /// A file whose status changed before `entry` was written, which replacing it always does, cannot have changed since: it is
    /// read only if there is doubt, so that large collections need not be read again whenever a run goes on.
    /// - Parameter entry: a file that was written when this one had been read.
    /// - Throws: `FileError`.
    func difference(from path: String, readBefore entry: String) throws -> String? {
        guard (path as NSString).lastPathComponent == name else { return "another name than \(name)" }
        let (now, then) = (try FileStatus(path), try FileStatus(entry))
        guard now.bytes == bytes else { return "\(now.bytes) bytes instead of \(bytes)" }
        if now.changed < then.written { return nil }
        return try ContentDigest.ofFile(path) == digest ? nil : "other content than before"
    }
}

/// The size and the times of a file.
private struct FileStatus {
    var bytes: Int
    /// When its content was last written, and when anything of it last changed: seconds and nanoseconds.
    var written, changed: (Int, Int)

    init(_ path: String) throws {
        var status = stat()
        guard stat(path, &status) == 0 else { throw FileError("read", path) }
        bytes = Int(status.st_size)
        written = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
        changed = (status.st_ctim.tv_sec, status.st_ctim.tv_nsec)
    }
}
