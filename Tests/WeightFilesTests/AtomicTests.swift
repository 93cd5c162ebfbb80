import Foundation
import Testing
import WeightFiles

struct AtomicTests {
    struct Trouble: Error {}

    static func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }

    @Test func aFileIsReplacedAsAWhole() throws {
        let folder = try TemporaryFolder()
        try AtomicFile.write("first", to: folder("a.txt"))
        #expect(throws: Trouble.self) {
            try AtomicFile.write(to: folder("a.txt")) { file in
                try file.write(Data("half of the sec".utf8))
                throw Trouble()
            }
        }
        #expect(Self.text(folder("a.txt")) == "first")
        try AtomicFile.write("second", to: folder("a.txt"))
        #expect(Self.text(folder("a.txt")) == "second")
        #expect(folder.names == ["a.txt"])
    }

    @Test func aFileThatCannotBeWrittenIsNamed() throws {
        let folder = try TemporaryFolder()
        let error = #expect(throws: FileError.self) { try AtomicFile.write("x", to: folder("none/a.txt")) }
        #expect(error?.path == folder("none/a.txt"))
        #expect(folder.names == [])
    }

    @Test func aFolderIsReplacedAsAWhole() throws {
        let folder = try TemporaryFolder()
        try AtomicDirectory.replace(folder("checkpoint")) { try AtomicFile.write("1", to: "\($0)/step") }
        #expect(throws: Trouble.self) {
            try AtomicDirectory.replace(folder("checkpoint")) {
                try AtomicFile.write("2", to: "\($0)/step")
                throw Trouble()
            }
        }
        #expect(Self.text(folder("checkpoint/step")) == "1")
        try AtomicDirectory.replace(folder("checkpoint")) { try AtomicFile.write("3", to: "\($0)/step") }
        #expect(Self.text(folder("checkpoint/step")) == "3")
        #expect(folder.names == ["checkpoint"])
    }

    /// The states in which a killed process may leave the folders, and the checkpoint that must be found then.
    @Test(
        arguments: [
            (["checkpoint": "1", "checkpoint.partial": "2"], "1"),
            (["checkpoint.previous": "1", "checkpoint.partial": "2"], "1"),
            (["checkpoint": "2", "checkpoint.previous": "1"], "2"),
            (["checkpoint": "2"], "2"),
        ] as [([String: String], String)])
    func recoversFromAKill(left: [String: String], expected: String) throws {
        let folder = try TemporaryFolder()
        for (name, text) in left {
            try FileManager.default.createDirectory(atPath: folder(name), withIntermediateDirectories: true)
            try AtomicFile.write(text, to: folder("\(name)/step"))
        }
        try AtomicDirectory.recover(folder("checkpoint"))
        #expect(Self.text(folder("checkpoint/step")) == expected)
        #expect(folder.names == ["checkpoint"])
    }

    @Test func aFolderIsRemovedWithWhatAKillLeft() throws {
        let folder = try TemporaryFolder()
        for name in ["checkpoint", "checkpoint.partial"] {
            try FileManager.default.createDirectory(atPath: folder(name), withIntermediateDirectories: true)
        }
        for _ in 0..<2 {
            try AtomicDirectory.removeWhole(folder("checkpoint"))
            #expect(folder.names == [])
        }
    }

    @Test func nothingToRecoverIsNoError() throws {
        let folder = try TemporaryFolder()
        try AtomicDirectory.recover(folder("checkpoint"))
        #expect(folder.names == [])
    }
}
