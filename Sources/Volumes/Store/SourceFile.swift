import Foundation
import WeightFiles

/// A file that a stored case was made of, so that a file that was replaced since is noticed.
public struct SourceFile: Codable, Hashable, Sendable {
    /// The name, without the folder.
    public var name: String
    /// The size.
    public var bytes: Int
    /// When it was last written, in seconds and nanoseconds; nil if that was not looked at.
    public var written: [Int]?
    /// The content, see `ContentDigest`.
    public var digest: String

    /// What is known of a file.
    public init(name: String, bytes: Int, written: [Int]? = nil, digest: String) {
        (self.name, self.bytes, self.written, self.digest) = (name, bytes, written, digest)
    }

    /// The file at `path` as it is now.
    /// - Throws: `FileError`.
    public init(of path: String) throws {
        let status = try FileStatus(path)
        self.init(
            name: (path as NSString).lastPathComponent, bytes: status.bytes, written: status.written,
            digest: try ContentDigest.ofFile(path))
    }

    /// How the file at `path` differs from this one, in words; nil if it is the same.
    ///
    /// A file of the same time that has been at its place since before `entry` was written is the same: it is read only if there
    /// is doubt, so that large collections need not be read again whenever a run goes on. Replacing a file, a link or either of
    /// the folders above changes the status of what took the place.
    /// - Parameter entry: a file that was written when this one had been read.
    /// - Throws: `FileError`.
    func difference(from path: String, readBefore entry: String) throws -> String? {
        guard (path as NSString).lastPathComponent == name else { return "another name than \(name)" }
        let (now, then) = (try FileStatus(path), try FileStatus(entry))
        guard now.bytes == bytes else { return "\(now.bytes) bytes instead of \(bytes)" }
        let folder = (path as NSString).deletingLastPathComponent
        let above = [path, folder, (folder as NSString).deletingLastPathComponent].filter { !$0.isEmpty }
        let hasStayed = try ([now] + above.map { try FileStatus($0, followsLinks: false) }).allSatisfy {
            $0.changed.lexicographicallyPrecedes(then.written)
        }
        if hasStayed, now.written == written { return nil }
        return try ContentDigest.ofFile(path) == digest ? nil : "other content than before"
    }
}

/// The size and the times of a file.
private struct FileStatus {
    var bytes: Int
    /// When its content was last written, and when anything of it last changed: seconds and nanoseconds.
    var written, changed: [Int]

    /// - Parameter followsLinks: false: of a symbolic link itself.
    init(_ path: String, followsLinks: Bool = true) throws {
        var status = stat()
        let result = followsLinks ? stat(path, &status) : lstat(path, &status)
        guard result == 0 else { throw FileError("read", path) }
        bytes = Int(status.st_size)
        written = [status.st_mtim.tv_sec, status.st_mtim.tv_nsec]
        changed = [status.st_ctim.tv_sec, status.st_ctim.tv_nsec]
    }
}
