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

    @Test("nobody has the whole folder while others have parts of it, and the other way round")
    func wholeAndParts() throws {
        do {
            let part = try FolderLock(folder.path, part: "1-of-2")
            let error = #expect(throws: FolderInUse.self) { try FolderLock(folder.path) }
            #expect(error?.holder == "process \(getpid()) on \(here)" && error?.exitCode == 64)
            #expect(folder.names == ["\(FolderLock.fileName)-1-of-2"], "who was refused leaves nothing")
            withExtendedLifetime(part) {}
        }
        do {
            let whole = try FolderLock(folder.path)
            let error = #expect(throws: FolderInUse.self) { try FolderLock(folder.path, part: "1-of-2") }
            #expect(error?.holder == "process \(getpid()) on \(here)")
            #expect(folder.names == [FolderLock.fileName])
            withExtendedLifetime(whole) {}
        }
        // What killed processes left is in nobody's way.
        try AtomicFile.write("{\"host\":\"\(here)\",\"pid\":1}", to: "\(file)-0-of-2")
        let time = try ContinuousClock().measure { _ = try FolderLock(folder.path, patience: .seconds(60)) }
        #expect(time < .seconds(5) && folder.names == [], "and whoever takes the whole removes it")
    }

    @Test("of a whole and parts that start at once, never both have the folder")
    func wholeAndPartsRace() async throws {
        let path = folder.path
        for _ in 0..<20 {
            let held = try await withThrowingTaskGroup(of: (String, FolderLock)?.self) { group in
                for part in [nil, "0-of-3", nil, "1-of-3", "2-of-3"] as [String?] {
                    group.addTask { (try? FolderLock(path, part: part)).map { (part ?? "", $0) } }
                }
                return try await group.reduce(into: [(String, FolderLock)]()) { held, lock in
                    if let lock { held.append(lock) }
                }
            }
            #expect(!held.contains { $0.0 == "" } || held.count == 1)
        }
    }

    @Test("stale names are removed where nothing is left to do, others stay")
    func removal() throws {
        let held = try FolderLock(folder.path, part: "0-of-9")
        try AtomicFile.write("{\"host\":\"\(here)\",\"pid\":1}", to: "\(file)-1-of-9")
        try AtomicFile.write("", to: "\(file)-2-of-9")
        try AtomicFile.write("{\"host\":\"elsewhere\",\"pid\":1}", to: "\(file)-3-of-9")
        try AtomicFile.write("mine", to: folder("other"))
        FolderLock.removeStale(in: folder.path)
        #expect(folder.names.sorted() == ["0", "3"].map { "\(FolderLock.fileName)-\($0)-of-9" } + ["other"])
        withExtendedLifetime(held) {}
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
