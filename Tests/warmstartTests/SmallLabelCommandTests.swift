import Foundation
import Testing
import Volumes

@Suite("Commands for small labels, ensembles and uncertainty")
struct SmallLabelCommandTests {
    private let folder = TemporaryFolder()
    private func path(_ name: String) -> String { "\(folder.path)/\(name)" }

    @Test("two runs are trained, ranked images, learned weights and maps come out")
    func chain() async throws {
        let data = path("data")
        _ = try await Tool.succeed([
            "phantom", "--kind", "hippocampus", "--cases", "6", "--unlabeled", "2", "--out", data,
        ])
        let recipe = """
            plan: {patch: 16, spacing_mm: [3, 3, 3], preset: resenc-xs}
            steps: 2
            schedule: {steps_per_update: 1}
            prediction: {mirroring: false, validation_cases: 0}
            patches: {augmentation: light, mirrored_axes: [2]}
            """
        try Data(recipe.utf8).write(to: URL(filePath: path("recipe.yaml")))
        for seed in 0..<2 {
            _ = try await Tool.succeed([
                "finetune", path("recipe.yaml"), "--data", data, "--seed", "\(seed)", "--out", path("run\(seed)"),
            ])
        }
        let runs = [path("run0"), path("run1")]
        // Images that were trained on are left out.
        let ranked = try await Tool.succeed(
            ["select", "--model"] + runs + ["--input", "\(data)/imagesTr", "--count", "1", "--json"])
        let lines = try #require(try JSONSerialization.jsonObject(with: Data(ranked.utf8)) as? [[String: Any]])
        #expect(lines.map { $0["rank"] as? Int } == [1, 2] && lines[0]["selected"] as? Bool == true)
        let entropies = lines.compactMap { $0["entropy"] as? Double }
        #expect(entropies.count == 2 && entropies[0] >= entropies[1])
        let table = try await Tool.succeed(
            [
                "select", "--model", runs[0], "--strategy", "random", "--diverse", "--input", "\(data)/imagesTs",
                "--count", "1",
            ])
        #expect(table.contains("label it") && table.contains("yes"))
        // A single prediction of each image agrees with itself.
        let alone = try await Tool.run([
            "select", "--model", runs[0], "--strategy", "disagreement", "--input", "\(data)/imagesTs", "--count", "1",
        ])
        #expect(alone.status == 64 && alone.errors.contains("several models"))

        let learned = try await Tool.succeed(
            ["ensemble", "--model"] + runs + ["--data", data, "--out", path("ensemble.json"), "--json"])
        let file = try #require(try JSONSerialization.jsonObject(with: Data(learned.utf8)) as? [String: Any])
        #expect((file["learnedOn"] as? [String])?.count == 1 && (file["checkedOn"] as? [String])?.count == 1)
        let weights = try #require(file["weights"] as? [[Double]])
        for channel in 0..<3 { #expect(abs(weights[0][channel] + weights[1][channel] - 1) < 1e-9) }
        _ = try await Tool.succeed([
            "predict", "--ensemble", path("ensemble.json"), "--input", "\(data)/imagesTs", "--uncertainty",
            path("maps"),
            "--out", path("predictions"),
        ])
        for name in ["hippocampus_0007", "hippocampus_0008"] {
            let image = try NIfTIFile.read("\(data)/imagesTs/\(name)_0000.nii.gz")
            #expect(try NIfTIFile.readLabels(path("predictions/\(name).nii.gz")).geometry == image.geometry)
            for kind in ["variance", "entropy", "mutual_information"] {
                let map = try NIfTIFile.read(path("maps/\(name)_\(kind).nii.gz"))
                #expect(map.geometry == image.geometry && map.voxels.allSatisfy { $0 >= 0 && $0 < 2 })
            }
        }
    }

    @Test("what contradicts itself is wrong usage")
    func mistakes() async throws {
        for arguments in [
            ["predict", "--input", "x", "--out", "y"],
            ["predict", "--model", "a", "--ensemble", "b", "--input", "x", "--out", "y"],
            ["select", "--model", "a", "--input", "x", "--count", "0"],
            ["ensemble", "--model", "a", "--data", "x", "--out", "y"],
        ] {
            let outcome = try await Tool.run(arguments)
            #expect(outcome.status == 64 && outcome.output.isEmpty, "\(arguments)")
        }
    }
}
