import Foundation
import Tensors
import Testing
import Volumes
import WeightFiles

@Suite("Commands from end to end")
struct WorkflowTests {
    private let folder = TemporaryFolder()
    private func path(_ name: String) -> String { "\(folder.path)/\(name)" }

    private func succeed(_ arguments: String...) async throws -> String {
        let outcome = try await Tool.run(arguments)
        try #require(outcome.status == 0, "\(outcome.errors)")
        return outcome.output
    }

    private func object(_ json: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
    }

    @Test("phantoms are made up, inspected, planned, preprocessed and evaluated")
    func chain() async throws {
        let dataset = path("phantoms")
        #expect(
            try await succeed("phantom", "--kind", "hippocampus", "--cases", "3", "--unlabeled", "1", "--out", dataset)
                == "\(dataset): 3 labeled cases, 1 without labels\n")

        let inspected = try object(try await succeed("inspect", dataset, "--json"))
        #expect(inspected["labeled_cases"] as? Int == 3 && inspected["unlabeled_cases"] as? Int == 1)
        #expect(inspected["classes"] as? [String] == ["background", "anterior", "posterior"])
        let volume = try object(
            try await succeed("inspect", "\(dataset)/imagesTr/hippocampus_0001_0000.nii.gz", "--json"))
        #expect(volume["content"] as? String == "volume")
        #expect(volume["spacing_mm"] as? [Double] == [1, 1, 1])

        let plan = try object(try await succeed("plan", "--data", dataset, "--out", path("plan.json"), "--json"))
        #expect(plan["name"] as? String == "3d_fullres")
        #expect(try Plan(contentsOf: path("plan.json")).outputChannels == 3)
        #expect(try await succeed("inspect", path("plan.json")).contains("3d_fullres"))

        let store = path("store")
        for _ in 0..<2 {
            #expect(
                try await succeed("preprocess", "--data", dataset, "--plan", path("plan.json"), "--out", store)
                    == "\(store): 4 cases\n")
        }
        #expect(try object(try await succeed("inspect", store, "--json"))["cases"] as? Int == 4)

        let table = try await succeed(
            "evaluate", "--predictions", "\(dataset)/labelsTr", "--references", dataset, "--out", path("summary.json"))
        #expect(table.contains("anterior    1.0000"))
        #expect(table.contains("posterior   1.0000"))
        let summary = try object(String(contentsOfFile: path("summary.json"), encoding: .utf8))
        #expect((summary["foreground_mean"] as? [String: Double])?["Dice"] == 1)
        #expect((summary["metric_per_case"] as? [Any])?.count == 3)
    }

    @Test("the same seed makes the same phantoms, another seed others")
    func seeds() async throws {
        for (name, seed, threads) in [("a", "1", "1"), ("b", "1", "2"), ("c", "2", "1")] {
            _ = try await succeed(
                "phantom", "--kind", "hippocampus", "--cases", "1", "--seed", seed, "--threads", threads, "--out",
                path(name))
        }
        let images = try ["a", "b", "c"].map {
            try NIfTIFile.read(path("\($0)/imagesTr/hippocampus_0001_0000.nii.gz")).voxels
        }
        #expect(images[0] == images[1])
        #expect(images[0] != images[2])
    }

    @Test("a dataset's folder is never written over")
    func existing() async throws {
        try FileManager.default.createDirectory(atPath: path("mine"), withIntermediateDirectories: true)
        try await expectFailure(
            "phantom", "--kind", "hippocampus", "--cases", "1", "--out", path("mine"), exits: 74, says: path("mine"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: path("mine")).isEmpty)
    }

    @Test("a missing prediction is bad data unless told otherwise, and leaves no summary")
    func missingPrediction() async throws {
        for name in ["predictions", "references"] {
            try FileManager.default.createDirectory(atPath: path(name), withIntermediateDirectories: true)
        }
        let labels = LabelVolume(
            labels: [0, 1, 1, 0],
            geometry: Geometry(extent: Extent3(depth: 1, height: 2, width: 2), spacingMM: [1, 1, 1]))
        try NIfTIFile.write(labels, to: path("references/a.nii.gz"))
        try NIfTIFile.write(labels, to: path("references/b.nii.gz"))
        try NIfTIFile.write(labels, to: path("predictions/a.nii.gz"))
        try await expectFailure(
            "evaluate", "--predictions", path("predictions"), "--references", path("references"), exits: 65,
            says: "no prediction for b", "--only-predicted")
        #expect(!FileManager.default.fileExists(atPath: path("predictions/summary.json")))
        let output = try await succeed(
            "evaluate", "--predictions", path("predictions"), "--references", path("references"), "--only-predicted")
        #expect(output.contains("cases: 1;"))
        #expect(FileManager.default.fileExists(atPath: path("predictions/summary.json")))
    }

    @Test("weights are listed and shown")
    func weights() async throws {
        let file = SafetensorsFile(
            tensors: ["encoder.stem.weight": StoredTensor([Float](repeating: 0.5, count: 12), shape: [4, 3])])
        try file.write(to: path("small.safetensors"))
        let shown = try object(
            try await succeed("weights", "show", path("small.safetensors"), "--tensors", "--json"))
        #expect(shown["parameters"] as? Int == 12)
        let list = try #require(shown["list"] as? [[String: Any]])
        #expect(list[0]["tensor"] as? String == "encoder.stem.weight")
        #expect(list[0]["shape"] as? [Int] == [4, 3])
        #expect(
            try await succeed("weights", "list", folder.path).contains(
                "small.safetensors  unknown  unknown          12"))
    }
}
