import Foundation
import Synchronization
import Tensors

/// The right to write in a folder. One process has it at a time; the file `.warmstart-lock` in the folder says which.
///
/// The system holds the lock (`flock`) and lets go of it when the process ends, however it ends: the name of a process of
/// this host in a file that nobody locks is stale, even if another process has that number now. Between hosts that share a
/// file system the lock may not reach. So the holder renews the file's time every few seconds, and whoever finds the name
/// of another host watches for a while whether that time changes. No two clocks are compared: they may be wrong or jump.
public final class FolderLock: Sendable {
    /// The file's name in the folder.
    public static let fileName = ".warmstart-lock"
    /// Between two signs of life.
    public static let pulse = Duration.seconds(5)

    private let path: String
    private let heartbeat: Heartbeat

    /// Takes the folder, which must exist.
    /// - Parameters:
    ///   - part: what of the folder, where several processes share it and write different files: one has each part. They must
    ///     leave alone what they have not written. Nobody has the whole folder while others have parts of it.
    ///   - patience: how long to look for signs of life of a process on another host.
    /// - Throws: ``FolderInUse``, ``FileError``.
    public init(_ folder: String, part: String? = nil, patience: Duration = FolderLock.pulse * 4) throws {
        path = Self.file(of: part, in: folder)
        // Before the lock is there: who must not have it shall not be in the way of who may.
        let stale = try Self.staleRivals(of: part, in: folder, patience)
        heartbeat = Heartbeat(try Self.locked(path, folder, patience), every: Self.pulse)
        // And after: of two that start at once, at least one sees the other. Whoever is refused here lets go of the lock.
        _ = try Self.staleRivals(of: part, in: folder, patience, known: stale)
        if part == nil { Self.removeStale(in: folder) }
    }

    private static func file(of part: String?, in folder: String) -> String {
        "\(folder)/\(fileName)" + (part.map { "-\($0)" } ?? "")
    }

    /// Opens and locks the file at `path`, and writes this process's name into it.
    private static func locked(_ path: String, _ folder: String, _ patience: Duration) throws -> Int32 {
        while true {
            let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
            guard descriptor >= 0 else { throw FileError("write", path) }
            do {
                if try isFree(descriptor, path, folder, patience) {
                    try LockHolder.here.write(to: descriptor, path)
                    return descriptor
                }
                close(descriptor)
            } catch {
                close(descriptor)
                throw error
            }
        }
    }

    /// Makes sure that nobody alive has the whole folder, or for whoever wants the whole, a part of it.
    /// - Parameter known: what needs no second look.
    /// - Returns: what others left, by the file's name.
    private static func staleRivals(
        of part: String?, in folder: String, _ patience: Duration, known: [String: FileState] = [:]
    ) throws -> [String: FileState] {
        let rivals = part == nil ? names(in: folder).filter { $0 != fileName } : [fileName]
        var stale: [String: FileState] = [:]
        for rival in rivals {
            let path = "\(folder)/\(rival)"
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else {
                if errno == ENOENT { continue }
                throw FileError("read", path)
            }
            defer { close(descriptor) }
            let state = try FileState(descriptor, path)
            // A shared lock, so that those who merely look are not in each other's way.
            if known[rival] != state { _ = try isFree(descriptor, path, folder, patience, lock: LOCK_SH) }
            stale[rival] = state
        }
        return stale
    }

    /// The lock files of a folder.
    private static func names(in folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { $0.hasPrefix(fileName) }
            .sorted()
    }

    /// Removes what processes of this host left that have ended without removing it, where it can be removed. Whoever takes a
    /// folder does that by itself; where nothing is left to do nobody takes it.
    public static func removeStale(in folder: String) {
        for name in names(in: folder) {
            let path = "\(folder)/\(name)"
            let descriptor = open(path, O_RDWR | O_CLOEXEC)
            guard descriptor >= 0 else { continue }
            defer { close(descriptor) }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0,
                FileState(named: path)?.number == (try? FileState(descriptor, path))?.number,
                LockHolder(readingFrom: descriptor).map({ $0.host == LockHolder.here.host }) ?? true
            else { continue }
            unlink(path)
        }
    }

    deinit {
        // First the name, then the lock: whoever opened the file before sees that it is not the folder's any more.
        unlink(path)
        heartbeat.stop()
    }

    /// Locks the file if nobody alive has it; false if it is no longer the folder's file, so that another must be opened.
    private static func isFree(
        _ descriptor: Int32, _ path: String, _ folder: String, _ patience: Duration, lock: Int32 = LOCK_EX
    ) throws -> Bool {
        let isLocked = flock(descriptor, lock | LOCK_NB) == 0
        let code = errno
        let holder = LockHolder(readingFrom: descriptor)
        if !isLocked {
            if code == EWOULDBLOCK { throw FolderInUse(folder: folder, holder: holder) }
            // Some file systems have no locks at all.
            guard [ENOLCK, ENOTSUP, EINVAL, ENOSYS].contains(code) else { throw FileError("lock", path, code: code) }
        }
        let found = try FileState(descriptor, path)
        guard FileState(named: path)?.number == found.number else { return false }
        guard let holder, !(isLocked && holder.host == LockHolder.here.host) else { return true }
        for _ in 0..<10 {
            usleep(UInt32(patience / .microseconds(10)))
            guard let now = try FileState(opening: path), now.number == found.number else { return false }
            if now.time != found.time { throw FolderInUse(folder: folder, holder: holder) }
        }
        return true
    }
}

/// Who holds a folder.
struct LockHolder: Codable, Hashable {
    var host: String
    var pid: Int32

    /// This process.
    static var here: LockHolder {
        var name = [UInt8](repeating: 0, count: 256)
        _ = name.withUnsafeMutableBytes { gethostname($0.baseAddress!, 255) }
        return LockHolder(host: String(decoding: name.prefix { $0 != 0 }, as: UTF8.self), pid: getpid())
    }

    init(host: String, pid: Int32) { (self.host, self.pid) = (host, pid) }

    /// The holder that a file names; nil for none, or for one that is just being written.
    init?(readingFrom descriptor: Int32) {
        var bytes = [UInt8](repeating: 0, count: 1024)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        guard count > 0, let holder = try? JSONDecoder().decode(Self.self, from: Data(bytes[..<count])) else {
            return nil
        }
        self = holder
    }

    func write(to descriptor: Int32, _ path: String) throws {
        let text = try JSONEncoder().encode(self)
        let written = text.withUnsafeBytes {
            ftruncate(descriptor, 0) == 0 ? pwrite(descriptor, $0.baseAddress, $0.count, 0) : -1
        }
        guard written == text.count else { throw FileError("write", path) }
    }
}

/// Which file a name stands for, and when it was last changed.
private struct FileState: Equatable {
    var number: ino_t
    var time: [Int]

    init(_ descriptor: Int32, _ path: String) throws {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FileError("read", path) }
        self.init(status)
    }

    /// Nil if there is no such file.
    init?(named path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    /// The file is opened anew: that makes network file systems ask the server. Nil if there is no such file any more.
    init?(opening path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw FileError("read", path)
        }
        defer { close(descriptor) }
        try self.init(descriptor, path)
    }

    private init(_ status: stat) {
        (number, time) = (status.st_ino, [status.st_mtim.tv_sec, status.st_mtim.tv_nsec])
    }
}

/// Renews the time of an open file until it is stopped, and closes the file then.
private final class Heartbeat: Sendable {
    private let descriptor: Int32
    private let isStopped = Mutex(false)

    init(_ descriptor: Int32, every pulse: Duration) {
        self.descriptor = descriptor
        // Without a thread there is no sign of life for other hosts; the lock holds on this one.
        _ = BackgroundThread.start("folder-lock", stackBytes: 1 << 18) { [self] in
            // Sleeping, unlike waiting for a date, does not depend on the time of day.
            while beat() { usleep(UInt32(pulse / .microseconds(1))) }
        }
    }

    /// Gives a sign of life; false after the end.
    private func beat() -> Bool {
        isStopped.withLock { isStopped in
            if !isStopped { futimens(descriptor, nil) }
            return !isStopped
        }
    }

    func stop() {
        isStopped.withLock { isStopped in
            isStopped = true
            close(descriptor)
        }
    }
}
