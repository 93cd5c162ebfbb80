import CSystem
import Foundation

/// Folders that are there as a whole or not at all, such as a run's checkpoint.
public enum AtomicDirectory {
    /// Replaces the folder at `path` by one that `body` fills.
    ///
    /// The new folder grows as `PATH.partial` and is flushed to the disk with all its files. Only then the two change names
    /// in one step, and the former is removed: at every instant `PATH` is a whole folder. On file systems that cannot
    /// exchange names the former folder steps aside as `PATH.previous` before the new one takes its name;
    /// ``recover(_:)`` finds it after a kill in between.
    /// - Parameter body: is given the path of the folder to fill.
    /// - Throws: ``FileError``, or what `body` throws; the former folder is then as before.
    public static func replace(_ path: String, _ body: (_ folder: String) throws -> Void) throws {
        try recover(path)
        let (partial, previous) = (path + ".partial", path + ".previous")
        do {
            guard mkdir(partial, 0o777) == 0 else { throw FileError("create", partial) }
            try body(partial)
            try synchronize(tree: partial)
            if !exists(path) {
                try move(partial, to: path)
            } else if ws_exchange(partial, path) != 0 {
                try move(path, to: previous)
                try move(partial, to: path)
            }
        } catch {
            try? recover(path)
            throw error
        }
        try AtomicFile.synchronize(folder: AtomicFile.split(path).folder)
        try remove(partial)
        try remove(previous)
    }

    /// Removes the folder at `path`, if there is one, so that it is never there in part.
    /// - Throws: ``FileError``.
    public static func removeWhole(_ path: String) throws {
        try recover(path)
        if exists(path) { try move(path, to: path + ".partial") }
        try remove(path + ".partial")
    }

    /// Puts right what a process left that was killed while it replaced the folder at `path`.
    ///
    /// Afterwards `path` is the latest whole folder, if there ever was one, and nothing lies beside it.
    /// - Throws: ``FileError``.
    public static func recover(_ path: String) throws {
        let previous = path + ".previous"
        if !exists(path) && exists(previous) { try move(previous, to: path) }
        try remove(path + ".partial")
        try remove(previous)
    }

    /// Puts right what killed processes left of all folders in `folder`. Only for whoever holds its ``FolderLock``.
    /// - Throws: ``FileError``.
    public static func recoverAll(in folder: String) throws {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            for ending in [".partial", ".previous"] where name.hasSuffix(ending) && !AtomicFile.isTemporary(name) {
                try recover("\(folder)/\(name.dropLast(ending.count))")
            }
        }
    }

    private static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    private static func move(_ source: String, to destination: String) throws {
        guard rename(source, destination) == 0 else { throw FileError("rename", source) }
    }

    private static func remove(_ path: String) throws {
        guard exists(path) else { return }
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            throw FileError("remove", path, error)
        }
    }

    /// Flushes every file and folder below `tree`, and `tree` itself.
    private static func synchronize(tree: String) throws {
        for name in FileManager.default.enumerator(atPath: tree)?.compactMap({ $0 as? String }) ?? [] {
            let path = "\(tree)/\(name)"
            let descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw FileError("open", path) }
            defer { close(descriptor) }
            guard fsync(descriptor) == 0 else { throw FileError("flush", path) }
        }
        try AtomicFile.synchronize(folder: tree)
    }
}
