import Foundation
import Testing
import WeightFiles

@Suite("A folder is one process's at a time")
struct FolderLockTests {
    private let folder: TemporaryFolder
    private var file: String { folder(FolderLock.fileName) }
    private let here: String

    init() throws {
        folder = try TemporaryFolder()
        var name = [CChar](repeating: 0, count: 256)
        gethostname(&name, 255)
        here = String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    private func leave(host: String, pid: Int32) throws {
        try AtomicFile.write("{\"host\":\"\(host)\",\"pid\":\(pid)}", to: file)
    }

    @Test("the second is told who the first is; afterwards the folder is free and clean")
    func refusal() throws {
        do {
            let lock = try FolderLock(folder.path)
            let error = #expect(throws: FolderInUse.self) { try FolderLock(folder.path) }
            #expect(error?.holder == "process \(getpid()) on \(here)")
            #expect(error?.description.contains(folder.path) ?? false)
            withExtendedLifetime(lock) {}
        }
        #expect(folder.names == [])
        _ = try FolderLock(folder.path)
    }

    @Test("processes that share a folder have a part each")
    func parts() throws {
        let first = try FolderLock(folder.path, part: "0-of-2")
        do {
            let second = try FolderLock(folder.path, part: "1-of-2")
            #expect(throws: FolderInUse.self) { try FolderLock(folder.path, part: "1-of-2") }
            withExtendedLifetime(second) {}
        }
        #expect(throws: FolderInUse.self) { try FolderLock(folder.path, part: "0-of-2") }
        withExtendedLifetime(first) {}
    }

    @Test(
        "what a killed process of this host left is stale, also if its number lives again", arguments: [4_194_304, 1])
    func stale(pid: Int32) throws {
        try leave(host: here, pid: pid)
        let time = try ContinuousClock().measure { _ = try FolderLock(folder.path, patience: .seconds(60)) }
        #expect(time < .seconds(5))
    }

    @Test("what is no name of a process is nobody's", arguments: ["", "{\"host\"", "\u{0}\u{1}\u{2}"])
    func damaged(text: String) throws {
        try AtomicFile.write(text, to: file)
        _ = try FolderLock(folder.path)
        #expect(folder.names == [])
    }

    @Test("the name of another host is stale if it shows no sign of life")
    func silentHost() throws {
        try leave(host: "elsewhere", pid: 7)
        _ = try FolderLock(folder.path, patience: .milliseconds(200))
    }

    @Test("a living process on another host is respected, whatever the clocks say")
    func livingHost() throws {
        try leave(host: "elsewhere", pid: 7)
        // The other host's clock is in the last century.
        let file = file
        Thread.detachNewThread {
            for beat in 0..<1000 {
                let times = [timespec](repeating: timespec(tv_sec: 86400 + beat, tv_nsec: 0), count: 2)
                if utimensat(AT_FDCWD, file, times, 0) != 0 { return }
                usleep(20_000)
            }
        }
        let error = #expect(throws: FolderInUse.self) { try FolderLock(folder.path, patience: .seconds(5)) }
        #expect(error?.holder == "process 7 on elsewhere")
        #expect(folder.names == [FolderLock.fileName], "its file is left alone")
    }

    @Test("of many that try at once one succeeds")
    func race() async throws {
        let path = folder.path
        for _ in 0..<20 {
            let held = try await withThrowingTaskGroup(of: FolderLock?.self) { group in
                for _ in 0..<8 { group.addTask { try? FolderLock(path) } }
                return try await group.reduce(into: [FolderLock]()) { held, lock in if let lock { held.append(lock) } }
            }
            #expect(held.count == 1)
        }
    }
}
