import Foundation

/// Files that are there as a whole or not at all.
public enum AtomicFile {
    /// Replaces the file at `path` by what `body` writes.
    ///
    /// The bytes go to a temporary file in the same folder, which is flushed to the disk and then takes the name, in one
    /// step. If `body` throws or the disk is full, the temporary file is removed and `path` is as before.
    /// - Throws: ``FileError``, or what `body` throws.
    public static func write(to path: String, _ body: (borrowing FileWriter) throws -> Void) throws {
        let (folder, name) = split(path)
        let temporary = "\(folder)/.\(name).\(UInt32.random(in: 0...UInt32.max)).partial"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw FileError("write", path) }
        do {
            let writer = FileWriter(descriptor: descriptor, path: path)
            try body(writer)
            try writer.finish()
            guard rename(temporary, path) == 0 else { throw FileError("write", path) }
        } catch {
            unlink(temporary)
            throw error
        }
        try synchronize(folder: folder)
    }

    /// Replaces the file at `path` by `content`.
    public static func write(_ content: Data, to path: String) throws {
        try write(to: path) { try $0.write(content) }
    }

    /// Replaces the file at `path` by `text`, in UTF-8.
    public static func write(_ text: String, to path: String) throws {
        try write(Data(text.utf8), to: path)
    }

    /// Whether a name is that of a temporary file of ``write(to:_:)``.
    public static func isTemporary(_ name: String) -> Bool { name.hasPrefix(".") && name.hasSuffix(".partial") }

    /// Removes the temporary files that killed processes left in a folder. Only for whoever holds its ``FolderLock``: the
    /// file of a living process looks the same.
    public static func removeTemporaries(in folder: String) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] where isTemporary(name) {
            unlink("\(folder)/\(name)")
        }
    }

    /// Flushes a folder's list of names to the disk: a rename is durable only afterwards.
    static func synchronize(folder: String) throws {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError("open", folder) }
        defer { close(descriptor) }
        // Some network file systems cannot flush folders and say so; nothing better can be done there.
        guard fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP else { throw FileError("flush", folder) }
    }

    static func split(_ path: String) -> (folder: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        let folder = path[..<slash]
        return (folder.isEmpty ? "/" : String(folder), String(path[path.index(after: slash)...]))
    }
}

/// A file that is being written. The bytes go straight to the system: write large pieces.
public struct FileWriter: ~Copyable {
    private let descriptor: Int32
    private let path: String

    init(descriptor: Int32, path: String) { (self.descriptor, self.path) = (descriptor, path) }

    deinit { close(descriptor) }

    /// Appends bytes.
    /// - Throws: ``FileError``, for example when the disk is full.
    public func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes
        while !rest.isEmpty {
            let written = Foundation.write(descriptor, rest.baseAddress, rest.count)
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { throw FileError("write", path) }
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
        }
    }

    /// Appends the bytes of `content`.
    /// - Throws: ``FileError``.
    public func write(_ content: Data) throws { try content.withUnsafeBytes { try write($0) } }

    /// Flushes the bytes to the disk.
    func finish() throws {
        guard fsync(descriptor) == 0 else { throw FileError("write", path) }
    }
}
