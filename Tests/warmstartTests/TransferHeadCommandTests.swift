import Foundation
import Testing
import Volumes

@Suite("Commands for classification, two stages and the cost of tricks")
struct TransferHeadCommandTests {
    private let folder = TemporaryFolder()
    private func path(_ name: String) -> String { "\(folder.path)/\(name)" }

    private func write(_ text: String, _ name: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path(name)))
    }

    private static let small = """
        plan: {patch: 16, spacing_mm: [3, 3, 3], preset: resenc-xs%}
        steps: 2
        scratch: {steps_per_update: 1}
        prediction: {mirroring: false, validation_cases: 0}
        patches: {augmentation: none}

        """

    @Test("images are classified, compared and predicted")
    func classification() async throws {
        let data = path("data")
        _ = try await Tool.succeed([
            "phantom", "--kind", "hippocampus", "--cases", "8", "--unlabeled", "2", "--out", data,
        ])
        try FileManager.default.removeItem(atPath: "\(data)/labelsTr")
        let names = (1...8).map { "hippocampus_000\($0)" }
        try write(
            "case,class\n" + names.enumerated().map { "\($1),\($0 % 2 == 0 ? "ill" : "well")\n" }.joined(),
            "data/classes.csv")
        let recipe = Self.small.replacing("%", with: ", head: classification") + "loss: {kind: ce}\n"
        try write(recipe, "recipe.yaml")
        let table = try await Tool.succeed(
            ["finetune", path("recipe.yaml"), "--data", data, "--out", path("run")])
        #expect(table.contains("AUC") && table.contains("ill") && table.contains("well"))
        _ = try await Tool.succeed(
            ["predict", "--model", path("run"), "--input", "\(data)/imagesTs", "--out", path("classified")])
        let classes = try String(contentsOfFile: path("classified/class-probabilities.csv"), encoding: .utf8)
        let rows = classes.split(separator: "\n").map { $0.split(separator: ",").map(String.init) }
        #expect(rows[0] == ["case", "class", "p(ill)", "p(well)"] && rows.count == 3)
        for row in rows.dropFirst() { #expect(abs((Double(row[2]) ?? 0) + (Double(row[3]) ?? 0) - 1) < 1e-5) }

        try write(
            recipe + """
                comparison:
                  sizes: [4]
                  seeds: [0]
                  variants: [{name: baseline}, {name: focal, set: ["loss={kind: focal}"]}]

                """, "compare.yaml")
        let results = try await Tool.succeed(
            ["compare", path("compare.yaml"), "--data", data, "--out", path("comparison")])
        #expect(results.contains("balanced accuracy") && !results.contains("Dice"))
        let page = try String(contentsOfFile: path("comparison/index.html"), encoding: .utf8)
        #expect(page.contains("Difference of the balanced accuracy to baseline"))
        #expect(!page.contains("by number of training cases"), "one size has no curve")
    }

    @Test("a coarse run points a fine one to its region")
    func twoStages() async throws {
        let data = path("data")
        _ = try await Tool.succeed([
            "phantom", "--kind", "hippocampus", "--cases", "5", "--unlabeled", "1", "--out", data,
        ])
        try write(Self.small.replacing("%", with: ""), "recipe.yaml")
        _ = try await Tool.succeed(["finetune", path("recipe.yaml"), "--data", data, "--out", path("coarse")])
        let outcome = try await Tool.run([
            "finetune", path("recipe.yaml"), "--data", data, "--set", "region.margin_mm=5", "--out", path("fine"),
        ])
        #expect(outcome.status == 0 && outcome.errors.contains("regions around the labels"), "\(outcome.errors)")
        let input = ["--input", "\(data)/imagesTs", "--out", path("predictions")]
        _ = try await Tool.succeed(["predict", "--coarse", path("coarse"), "--model", path("fine")] + input)
        let image = try NIfTIFile.read("\(data)/imagesTs/hippocampus_0006_0000.nii.gz")
        #expect(try NIfTIFile.readLabels(path("predictions/hippocampus_0006.nii.gz")).geometry == image.geometry)
        let alone = try await Tool.run(["predict", "--model", path("fine")] + input)
        #expect(alone.status == 64 && alone.errors.contains("--coarse"))
        // In a comparison, test labels would point to the regions.
        try write(
            Self.small.replacing("%", with: "") + "comparison: {sizes: [2], seeds: [0], split: every-fifth-held-out}\n",
            "compare.yaml")
        let compare = ["compare", path("compare.yaml"), "--data", data, "--set", "region.margin_mm=5"]
        let pointed = try await Tool.run(compare + ["--out", path("pointed")])
        #expect(pointed.status == 64 && pointed.errors.contains("region.coarse=RUN"))
    }

    @Test("tricks have a price")
    func tricks() async throws {
        try write(
            Self.small.replacing("%", with: "") + """
                comparison:
                  variants:
                    - {name: plain}
                    - {name: recomputed, set: [memory.recompute=true]}
                    - {name: adapters, init: pretrained, set: ["adapters={kind: lora}"]}
                    - {name: no teacher, set: ["teacher={kind: distillation}"]}

                """, "tricks.yaml")
        let output = try await Tool.succeed(["benchmark", "tricks", "--recipes", path("tricks.yaml"), "--json"])
        let rows = try output.split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        #expect(rows.map { $0["name"] as? String } == ["plain", "recomputed", "adapters", "no teacher"])
        #expect(rows[0]["time_ratio"] as? Double == 1 && rows[0]["memory_ratio"] as? Double == 1)
        for row in rows.prefix(3) {
            let (seconds, range) = (row["seconds"] as? Double ?? 0, row["range"] as? [Double] ?? [])
            #expect(seconds > 0 && range.count == 2 && range[0] <= seconds && seconds <= range[1])
        }
        #expect((rows[3]["problem"] as? String)?.contains("teacher.runs") == true && rows[3]["seconds"] == nil)
    }
}
