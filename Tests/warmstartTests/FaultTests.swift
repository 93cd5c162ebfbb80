import Foundation
import Testing
import Volumes
import WeightFiles

/// Faults that need the built tool but no kill: `Scripts/faults` injects the others.
@Suite("Faults")
struct FaultTests {
    private let folder = TemporaryFolder()
    private func path(_ name: String) -> String { "\(folder.path)/\(name)" }

    private func pretraining(_ out: String) async throws -> [String] {
        if !FileManager.default.fileExists(atPath: path("data")) {
            let outcome = try await Tool.run(
                "phantom", "--kind", "hippocampus", "--cases", "1", "--unlabeled", "2", "--out", path("data"))
            try #require(outcome.status == 0, "\(outcome.errors)")
            try Data(
                """
                method: s3d
                data: {min_field_of_view_mm: 1, min_file_kilobytes: 0, validation_subjects: 1}
                plan: {patch: 16, batch: 1, features: [8, 8, 8, 16], blocks: [1, 1, 1, 1], preset: resenc-xs}
                masking: {block: 8, ratio: 0.75}
                schedule: {steps_per_update: 1, stages: [{name: main, steps: 4, shape: poly, peak: 0.01}]}
                validation: {batches: 1}
                run: {checkpoint_steps: 1}
                """.utf8
            ).write(to: URL(filePath: path("pretrain.yaml")))
        }
        return ["pretrain", path("pretrain.yaml"), "--data", path("data/imagesTs"), "--out", path(out)]
    }

    @Test("a run, its page, weights and published card name no folder of the data")
    func privacy() async throws {
        let outcome = try await Tool.run(try await pretraining("run"))
        try #require(outcome.status == 0, "\(outcome.errors)")
        try FileManager.default.createDirectory(atPath: path("weights"), withIntermediateDirectories: true)
        let published = try await Tool.run(
            "weights", "publish", path("run"), "--name", "tiny", "--data", "phantoms", "--use", "tests", "--licence",
            "CC0-1.0", "--into", path("weights"))
        try #require(published.status == 0, "\(published.errors)")
        let exported = try await Tool.run("weights", "export", path("run"), path("weights/tiny.pth"), "--to", "nnssl")
        try #require(exported.status == 0, "\(exported.errors)")
        let shared = try FileManager.default.contentsOfDirectory(atPath: path("weights")).map { "weights/\($0)" }
        #expect(shared.count == 4)
        for name in shared + ["run/index.html", "run/weights.safetensors", "run/log.jsonl", "run/images.json"] {
            let bytes = try Data(contentsOf: URL(filePath: path(name)))
            #expect(bytes.range(of: Data(folder.path.utf8)) == nil, "\(name)")
        }
        let page = try String(contentsOfFile: path("run/index.html"), encoding: .utf8)
        #expect(page.contains("imagesTs"), "the name of the folder is kept")
    }

    @Test("what is damaged is found by inspect --verify, and named")
    func verification() async throws {
        let outcome = try await Tool.run(try await pretraining("run"))
        try #require(outcome.status == 0, "\(outcome.errors)")
        let whole = try await Tool.run("inspect", path("run"), "--verify", "--json")
        // The checkpoint, the weights and two stored images.
        #expect(whole.status == 0 && whole.output.contains("\"intact\" : 4"), "\(whole.output)\(whole.errors)")
        let weights = URL(filePath: path("run/weights.safetensors"))
        var bytes = try Data(contentsOf: weights)
        bytes[bytes.count - 5] ^= 2
        try bytes.write(to: weights)
        let damaged = try await Tool.run("inspect", path("run"), "--verify")
        #expect(damaged.status == 65 && damaged.errors.contains("weights.safetensors"), "\(damaged.errors)")
    }

    @Test("a message that finds no reader, and a log on a full disk, end no training")
    func lostMessages() async throws {
        let arguments = try await pretraining("run")
        for (index, sink) in ["/dev/full", "&-"].enumerated() {
            let process = Process()
            process.executableURL = URL(filePath: "/bin/sh")
            process.arguments =
                [
                    "-c", "exec \"$@\" 2>\(sink)", "sh", try Tool.path(),
                ] + arguments.dropLast() + [path("run\(index)")]
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            #expect(process.terminationReason == .exit && process.terminationStatus == 0, "2>\(sink)")
            #expect(FileManager.default.fileExists(atPath: path("run\(index)/weights.safetensors")))
        }
    }

    @Test("Ctrl-C ends preprocessing soon, with a sentence; the same command goes on", arguments: [SIGINT, SIGTERM])
    func interruptedPreprocessing(signal: Int32) async throws {
        let made = try await Tool.run(
            "phantom", "--kind", "hippocampus", "--cases", "30", "--out", path("data"))
        try #require(made.status == 0, "\(made.errors)")
        // Fine voxels, so that there is something to interrupt.
        let plan = Plan.fixed(channelNames: ["MR"], outputChannels: 3, spacingMM: [0.4, 0.4, 0.4])
        try plan.json().write(to: URL(filePath: path("plan.json")))
        let arguments = ["preprocess", "--data", path("data"), "--plan", path("plan.json"), "--out", path("store")]
        let errors = try folder.file("errors")
        let process = Process()
        process.executableURL = URL(filePath: try Tool.path())
        process.arguments = arguments + ["--threads", "1"]
        (process.standardOutput, process.standardError) = (FileHandle.nullDevice, errors)
        try process.run()
        func cases() -> [String] {
            ((try? FileManager.default.contentsOfDirectory(atPath: path("store"))) ?? []).filter {
                !$0.hasPrefix(".") && !$0.hasSuffix(".partial") && $0 != "zarr.json"
            }.sorted()
        }
        while process.isRunning, cases().isEmpty { try await Task.sleep(for: .milliseconds(2)) }
        kill(process.processIdentifier, signal)
        // `timeout` sends its signal to the process and to its group.
        try await Task.sleep(for: .milliseconds(3))
        kill(process.processIdentifier, signal)
        process.waitUntilExit()
        try #require(process.terminationReason == .exit && process.terminationStatus == 130)
        try errors.seek(toOffset: 0)
        let text = String(decoding: try errors.readToEnd() ?? Data(), as: UTF8.self)
        #expect(text.contains("interrupted while preprocessing; finished cases are kept: the same command goes on."))
        let finished = cases()
        #expect((1..<30).contains(finished.count))
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: path("store")).count == finished.count + 1,
            "no lock and no half-written case is left")
        let again = try await Tool.run(arguments)
        #expect(again.status == 0 && again.output.hasSuffix("30 cases\n"), "\(again.errors)")
    }

    @Test("a second process is told of the first; who was killed is in nobody's way")
    func twoProcesses() async throws {
        let arguments =
            try await pretraining("run") + ["--set", "schedule.stages=[{steps: 100000, peak: 0.01, shape: constant}]"]
        let first = try Tool.start(arguments)
        while first.isRunning, !FileManager.default.fileExists(atPath: path("run/checkpoint/state.json")) {
            try await Task.sleep(for: .milliseconds(5))
        }
        for flags in [[], ["--resume"]] {
            let second = try await Tool.run(arguments + flags)
            #expect(second.status == 64, "\(second.errors)")
            #expect(second.errors.contains("process \(first.processIdentifier) on "), "\(second.errors)")
        }
        kill(first.processIdentifier, SIGKILL)
        first.waitUntilExit()
        #expect(FileManager.default.fileExists(atPath: path("run/\(FolderLock.fileName)")), "its name is left")
        func state() -> Data? { FileManager.default.contents(atPath: path("run/checkpoint/state.json")) }
        let before = state()
        let third = try Tool.start(arguments + ["--resume"])
        while third.isRunning, state() == before {
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(third.isRunning)
        kill(third.processIdentifier, SIGTERM)
        third.waitUntilExit()
        #expect(third.terminationStatus == 130)
        #expect(!FileManager.default.fileExists(atPath: path("run/\(FolderLock.fileName)")))
    }
}
