import Foundation
import Testing
import Volumes
import WeightFiles

/// The main job through the tool, in a few steps of a small network.
@Suite("Pre-train, fine-tune, predict, compare")
struct ChainTests {
    private let folder = TemporaryFolder()
    private func path(_ name: String) -> String { "\(folder.path)/\(name)" }

    private func succeed(_ arguments: [String]) async throws {
        let outcome = try await Tool.run(arguments)
        try #require(outcome.status == 0, "\(outcome.errors)")
    }

    private func write(_ text: String, to name: String) throws -> String {
        try Data(text.utf8).write(to: URL(filePath: path(name)))
        return path(name)
    }

    private func makePhantoms() async throws {
        try await succeed([
            "phantom", "--kind", "hippocampus", "--cases", "7", "--unlabeled", "2", "--out", path("data"),
        ])
    }

    private func pretrainingRecipe() throws -> String {
        try write(
            """
            method: s3d
            data: {min_field_of_view_mm: 1, min_file_kilobytes: 0, validation_subjects: 1}
            plan: {patch: 16, batch: 1, features: [8, 8, 8, 16], blocks: [1, 1, 1, 1], preset: resenc-xs}
            masking: {block: 8, ratio: 0.75}
            schedule: {steps_per_update: 1, stages: [{name: main, steps: 4, shape: poly, exponent: 0.9, peak: 0.01}]}
            validation: {batches: 1}
            run: {checkpoint_steps: 1}
            """, to: "pretrain.yaml")
    }

    private func finetuningRecipe(_ more: String = "") throws -> String {
        try write(
            """
            plan: {patch: 16, batch: 1, preset: resenc-xs}
            steps: 3
            schedule:
              steps_per_update: 1
              stages:
                - {name: decoder warm-up, steps: 1, shape: warm_up, peak: 0.01, trains: [decoder], renew_optimizer: true}
                - {name: main, steps: 2, shape: poly, exponent: 0.9, peak: 0.01}
            scratch: {steps_per_update: 1, stages: [{name: main, steps: 3, shape: poly, exponent: 0.9, peak: 0.01}]}
            prediction: {mirroring: false, window_step: 1, validation_cases: 1}
            \(more)
            """, to: "finetune.yaml")
    }

    @Test("any number of threads, and an interruption, give the same weights")
    func reproducible() async throws {
        try await makePhantoms()
        let recipe = try pretrainingRecipe()
        func arguments(_ out: String, _ threads: String) -> [String] {
            ["pretrain", recipe, "--data", path("data/imagesTs"), "--out", path(out), "--threads", threads]
        }
        try await succeed(arguments("one", "1"))
        try await succeed(arguments("two", "2"))
        let process = try Tool.start(arguments("cut", "2"))
        while process.isRunning, !FileManager.default.fileExists(atPath: path("cut/checkpoint/state.json")) {
            try await Task.sleep(for: .milliseconds(2))
        }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        try await succeed(arguments("cut", "1") + ["--resume"])
        let weights = try ["one", "two", "cut"].map {
            try SafetensorsFile.read(path("\($0)/weights.safetensors")).tensors
        }
        #expect(weights[0] == weights[1])
        #expect(weights[0] == weights[2])
        #expect(weights[0].keys.allSatisfy { $0.hasPrefix("encoder.") || $0.hasPrefix("decoder.") })
    }

    @Test("a comparison trains, tests and resumes; predictions have the images' grids")
    func comparison() async throws {
        try await makePhantoms()
        try await succeed([
            "pretrain", pretrainingRecipe(), "--data", path("data/imagesTs"), "--out", path("s3d"), "--set",
            "plan.features=[16, 32, 64, 128]", "--set", "plan.blocks=[1, 2, 2, 2]",
        ])
        let recipe = try finetuningRecipe("comparison: {sizes: [2], seeds: [0], split: every-fifth-held-out}")
        let compare = ["compare", recipe, "--data", path("data"), "--init", "S3D=\(path("s3d"))", "--out", path("cmp")]
        try await succeed(compare)
        let again = try await Tool.run(compare + ["--resume"])
        #expect(again.status == 0 && again.errors.contains("finished before"))
        let results = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: path("cmp/comparison.json"))))
                as? [String: Any])
        #expect(results["finishedCells"] as? Int == 2)
        #expect((results["calibration"] as? [Any])?.count == 2)

        // Other patients may be added afterwards: the networks are there, and nothing is trained.
        try await succeed([
            "phantom", "--kind", "hippocampus", "--cases", "2", "--seed", "5", "--out", path("other"),
        ])
        let added = try await Tool.run(compare + ["--resume", "--also", "centre B=\(path("other"))"])
        #expect(
            added.status == 0 && added.errors.contains("tested on centre B")
                && !added.errors.contains("[1/2] S3D, 2 cases, fold 0, seed 0\n"))
        #expect(added.output.contains("On centre B, without training there:"))
        let scores = "cmp/cells/n2-fold0-seed0-S3D/transfer/centre_B/scores.json"
        #expect(FileManager.default.fileExists(atPath: path(scores)))
        let own = try await Tool.run(compare + ["--resume", "--also", "B=\(path("data"))"])
        #expect(own.status == 65 && own.errors.contains("is also case hippocampus_0001 of B"), "\(own.errors)")

        let model = path("cmp/cells/n2-fold0-seed0-S3D/run")
        // What a killed prediction leaves goes away with the next one.
        try FileManager.default.createDirectory(atPath: path("predictions"), withIntermediateDirectories: true)
        try Data("half".utf8).write(to: URL(filePath: path("predictions/.a.nii.gz.7.partial")))
        try await succeed(["predict", "--model", model, "--input", path("data/imagesTs"), "--out", path("predictions")])
        let name = try #require(FileManager.default.contentsOfDirectory(atPath: path("predictions")).first)
        #expect(!FileManager.default.fileExists(atPath: path("predictions/.a.nii.gz.7.partial")))
        let labels = try NIfTIFile.readLabels(path("predictions/\(name)"))
        let image = try NIfTIFile.read(
            path("data/imagesTs/\(name.replacing(".nii.gz", with: "_0000.nii.gz"))"))
        #expect(labels.geometry == image.geometry)
    }

    @Test("a request that cannot be met is refused before anything is written")
    func refusals() async throws {
        try await makePhantoms()
        let recipe = try finetuningRecipe("comparison: {sizes: [2], seeds: [0]}")
        let plain = try write(
            String(contentsOfFile: recipe, encoding: .utf8).components(separatedBy: "comparison:")[0], to: "plain.yaml")
        let tooMany = try await Tool.run([
            "finetune", plain, "--data", path("data"), "--cases", "99", "--out", path("run"),
        ])
        #expect(tooMany.status == 64 && tooMany.errors.contains("--cases 99"))
        #expect(!FileManager.default.fileExists(atPath: path("run")))

        try SafetensorsFile(tensors: ["x": StoredTensor(scalar: Float(0))]).write(to: path("weights.safetensors"))
        let compare = [
            "compare", recipe, "--data", path("data"), "--init", "S3D=\(path("weights.safetensors"))", "--out",
            path("cmp"),
        ]
        let unused = try await Tool.run(compare + ["--set", "transfer=none"])
        #expect(unused.status == 64 && unused.errors.contains("transfers nothing"))
        let unfit = try await Tool.run(compare)
        #expect(unfit.status != 0 && unfit.errors.contains("encoder."))
        #expect(!FileManager.default.fileExists(atPath: path("cmp")))
    }

    @Test("a pre-training resumes with the same images only")
    func otherImages() async throws {
        try await makePhantoms()
        let arguments = ["pretrain", try pretrainingRecipe(), "--data", path("data/imagesTs"), "--out", path("run")]
        try await succeed(arguments)
        try FileManager.default.copyItem(
            atPath: path("data/imagesTr/hippocampus_0001_0000.nii.gz"), toPath: path("data/imagesTs/another.nii.gz"))
        let outcome = try await Tool.run(arguments + ["--resume"])
        #expect(outcome.status == 64 && outcome.errors.contains("images.json"))
    }

    @Test("weights that saw a test case are refused")
    func leakage() async throws {
        try await makePhantoms()
        try await succeed(["pretrain", pretrainingRecipe(), "--data", path("data"), "--out", path("s3d")])
        let recipe = try finetuningRecipe("comparison: {sizes: [2], seeds: [0]}")
        let outcome = try await Tool.run([
            "compare", recipe, "--data", path("data"), "--init", "S3D=\(path("s3d"))", "--out", path("cmp"),
        ])
        #expect(outcome.status == 65 && outcome.errors.contains("trained on the test case hippocampus_0001"))
        #expect(!FileManager.default.fileExists(atPath: path("cmp")))
    }
}
