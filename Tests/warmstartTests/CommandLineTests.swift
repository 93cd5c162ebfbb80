import Foundation
import Testing

@Suite("Wrong command lines and missing files")
struct CommandLineTests {
    private let folder = TemporaryFolder()

    @Test("unknown commands and options are wrong usage")
    func unknown() async throws {
        try await expectFailure("frobnicate", exits: 64, says: "frobnicate")
        try await expectFailure(
            "phantom", "--kind", "head", "--cases", "1", "--out", "x", "--cazes", "3", exits: 64, says: "--cazes",
            in: folder.path)
        try await expectFailure(
            "phantom", "--kind", "knee", "--cases", "1", "--out", "x", exits: 64, says: "knee", "hippocampus")
    }

    @Test("values out of range are named before any work")
    func ranges() async throws {
        try await expectFailure(
            "phantom", "--kind", "head", "--cases", "0", "--out", "x", exits: 64, says: "--cases must be at least 1",
            in: folder.path)
        try await expectFailure(
            "phantom", "--kind", "head", "--cases", "1", "--threads", "0", "--out", "x", exits: 64, says: "--threads",
            in: folder.path)
        try await expectFailure(
            "plan", "--data", ".", "--out", "p", "--preset", "XXL", exits: 64, says: "XXL", "default, M, L, XL")
        try await expectFailure(
            "plan", "--data", ".", "--out", "p", "--kind", "fixed", "--patch", "33", exits: 64, says: "multiple of 32")
        #expect(folder.isEmpty)
    }

    @Test("missing files and folders are named")
    func missing() async throws {
        try await expectFailure("inspect", "nowhere.nii.gz", exits: 74, says: "cannot find nowhere.nii.gz")
        try await expectFailure("plan", "--data", "nowhere", "--out", "p", exits: 74, says: "cannot find nowhere")
        try await expectFailure(
            "preprocess", "--data", folder.path, "--plan", "nowhere.json", "--out", "s", exits: 74,
            says: "cannot find nowhere.json")
        try await expectFailure("weights", "show", "nowhere", exits: 74, says: "there is no file nowhere")
        try await expectFailure("weights", "list", "nowhere", exits: 74, says: "cannot find nowhere")
        try await expectFailure(
            "evaluate", "--predictions", folder.path, "--references", "nowhere", exits: 74, says: "cannot find nowhere")
    }

    @Test("a file where a folder belongs is named")
    func notAFolder() async throws {
        let file = "\(folder.path)/file"
        try Data().write(to: URL(filePath: file))
        try await expectFailure("plan", "--data", file, "--out", "p", exits: 74, says: file, "Not a directory")
    }

    @Test("files that are not what they should be are bad data")
    func badData() async throws {
        for name in ["scan.nii.gz", "plan.json", "weights.safetensors", "notes.txt"] {
            try Data("not this".utf8).write(to: URL(filePath: "\(folder.path)/\(name)"))
            try await expectFailure("inspect", "\(folder.path)/\(name)", exits: 65, says: "\(folder.path)/\(name)")
        }
        try await expectFailure("inspect", "/proc/self/fd", exits: 65, says: "/proc/self/fd")
    }
}
