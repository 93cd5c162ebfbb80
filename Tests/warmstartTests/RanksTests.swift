import Foundation
import Testing
import WeightFiles

#if MPI
    private let isBuiltWithMPI = true
#else
    private let isBuiltWithMPI = false
#endif

private let mpirun = ["/usr/bin/mpirun", "/usr/local/bin/mpirun"].first(
    where: FileManager.default.isExecutableFile(atPath:))

/// Several processes through the tool.
@Suite("Ranks")
struct RanksTests {
    private let folder = TemporaryFolder()
    private func path(_ name: String) -> String { "\(folder.path)/\(name)" }

    private func prepare() async throws -> [String] {
        let made = try await Tool.run(
            "phantom", "--kind", "hippocampus", "--cases", "1", "--unlabeled", "4", "--out", path("data"))
        try #require(made.status == 0, "\(made.errors)")
        try Data(
            """
            method: s3d
            data: {min_field_of_view_mm: 1, min_file_kilobytes: 0, validation_subjects: 1}
            plan: {patch: 16, batch: 4, features: [8, 8, 8, 16], blocks: [1, 1, 1, 1], preset: resenc-xs}
            masking: {block: 8, ratio: 0.75}
            memory: {micro_batch: 1}
            schedule: {steps_per_update: 1, stages: [{name: main, steps: 40, shape: poly, exponent: 0.9, peak: 0.01}]}
            validation: {batches: 1}
            run: {checkpoint_steps: 1}
            """.utf8
        ).write(to: URL(filePath: path("recipe.yaml")))
        return ["pretrain", path("recipe.yaml"), "--data", path("data/imagesTs"), "--threads", "1"]
    }

    /// Containers run tests as root on few cores.
    private let environment = [
        "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "OMPI_MCA_rmaps_base_oversubscribe": "1", "OMPI_MCA_hwloc_base_binding_policy": "none",
    ]

    private func launch(_ ranks: Int, _ arguments: [String]) async throws -> Tool.Outcome {
        try await Tool.run(
            arguments, launcher: [try #require(mpirun), "-n", "\(ranks)"], environment: environment)
    }

    private func start(_ ranks: Int, _ arguments: [String]) throws -> Process {
        let process = Process()
        process.executableURL = URL(filePath: try #require(mpirun))
        process.arguments = ["-n", "\(ranks)", try Tool.path()] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        return process
    }

    private func weights(_ name: String) throws -> [String: StoredTensor] {
        try SafetensorsFile.read(path("\(name)/weights.safetensors")).tensors
    }

    @Test(
        "one, two and four ranks end in the same bits, also after a kill and with another number of ranks",
        .enabled(if: isBuiltWithMPI && mpirun != nil, "needs a build with --traits MPI, and mpirun"))
    func sameBits() async throws {
        let arguments = try await prepare()
        let alone = try await Tool.run(arguments + ["--out", path("one")])
        try #require(alone.status == 0, "\(alone.errors)")
        for (name, ranks) in [("two", 2), ("four", 4)] {
            let outcome = try await launch(ranks, arguments + ["--out", path(name)])
            try #require(outcome.status == 0, "\(outcome.errors)")
            #expect(outcome.output.split(separator: "\n").count == 2, "the first rank alone speaks: \(outcome.output)")
            #expect(try weights(name) == weights("one"))
        }
        let broken = try await launch(2, arguments + ["--out", path("one")])
        #expect(broken.status == 64 && broken.errors.contains("rank 0 on"), "\(broken.errors)")
        #expect(broken.errors.contains("is not empty") && !broken.errors.contains("rank 1 on"), "\(broken.errors)")

        let started = try start(2, arguments + ["--out", path("cut")])
        while started.isRunning, !FileManager.default.fileExists(atPath: path("cut/checkpoint/state.json")) {
            try await Task.sleep(for: .milliseconds(2))
        }
        kill(try #require(children(of: started.processIdentifier).last), SIGKILL)
        started.waitUntilExit()
        #expect(
            started.terminationStatus != 0 && !FileManager.default.fileExists(atPath: path("cut/weights.safetensors")))
        let resumed = try await Tool.run(arguments + ["--out", path("cut"), "--resume"])
        try #require(resumed.status == 0, "\(resumed.errors)")
        #expect(try weights("cut") == weights("one"))
    }

    /// The processes that a process started.
    private func children(of parent: Int32) -> [Int32] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { Int32($0) }.filter { number in
            let status = try? String(contentsOfFile: "/proc/\(number)/status", encoding: .utf8)
            return status?.contains("PPid:\t\(parent)\n") ?? false
        }.sorted()
    }

    @Test(
        "one of several processes of a build without MPI is refused before it writes",
        .enabled(if: !isBuiltWithMPI, "of a build with --traits MPI there is nothing to refuse"))
    func refused() async throws {
        let arguments = try await prepare()
        let outcome = try await Tool.run(
            arguments + ["--out", path("run")],
            environment: ["OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "2"])
        #expect(outcome.status == 64 && outcome.errors.contains("--traits MPI"), "\(outcome.errors)")
        #expect(!FileManager.default.fileExists(atPath: path("run")))
    }

    @Test("the shards of a prediction, a store and a comparison are all of it")
    func shards() async throws {
        let made = try await Tool.run(
            "phantom", "--kind", "hippocampus", "--cases", "5", "--unlabeled", "0", "--out", path("data"))
        try #require(made.status == 0, "\(made.errors)")
        let planned = try await Tool.run(
            "plan", "--data", path("data"), "--out", path("plan.json"), "--kind", "fixed", "--patch", "32")
        try #require(planned.status == 0, "\(planned.errors)")
        let store = ["preprocess", "--data", path("data"), "--plan", path("plan.json"), "--out", path("store")]
        for (shard, cases) in [("0/2", 3), ("1/2", 5)] {
            let outcome = try await Tool.run(store + ["--shard", shard])
            #expect(outcome.output == "\(path("store")): \(cases) cases\n", "\(outcome.errors)")
        }
        let wrong = try await Tool.run(store + ["--shard", "2/2"])
        #expect(wrong.status == 64 && wrong.errors.contains("i/n"))
        // The place that a launcher gives is a shard.
        let again = try await Tool.run(
            ["preprocess", "--data", path("data"), "--plan", path("plan.json"), "--out", path("other")],
            environment: ["PMI_RANK": "1", "PMI_SIZE": "5"])
        #expect(again.output == "\(path("other")): 1 cases\n", "\(again.errors)")
    }
}
