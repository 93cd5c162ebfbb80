import Experiments
import Finetuning
import Foundation
import Testing
import Training

@Suite("Variants of a recipe as rows")
struct VariantTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Finetune").path

    private static let tables = ["losses", "tricks", "s3d-table3", "adapters"]

    private func load(_ name: String) throws -> ComparisonRecipe {
        try ComparisonRecipe.load("\(Self.folder)/compare-\(name)-cpu.yaml")
    }

    private func values(_ yaml: String) throws -> [String: String] {
        Dictionary(
            try RecipeDocument.parse(yaml).asWritten.flattened.map { ($0.key, $0.value) },
            uniquingKeysWith: { first, _ in first })
    }

    /// The parts of a recipe in which a variant differs from its base.
    private func changed(_ variant: ComparisonRecipe.Variant, from base: String) throws -> Set<String> {
        let (own, other) = (try values(variant.finetuning), try values(base))
        let keys = Set(own.keys).union(other.keys).filter { own[$0] != other[$0] }
        return Set(keys.map { String($0.prefix { $0 != "." }) })
    }

    @Test("every table resolves, and each row changes what its name says and nothing else", arguments: tables)
    func rows(table: String) throws {
        let recipe = try load(table)
        #expect(recipe.variants.count > 5 && recipe.seeds == [0, 1])
        for variant in recipe.variants {
            let parts = try changed(variant, from: recipe.finetuning)
            let allowed: Set<String> =
                switch table {
                case "losses": ["loss"]
                case "s3d-table3": ["transfer", "schedule", "plan"]
                case "adapters": ["transfer", "schedule", "adapters", "layer_decay"]
                default: ["patches", "plan", "loss", "prediction", "teacher", "data"]
                }
            #expect(parts.isSubset(of: allowed), "\(variant.name) changes \(parts)")
            if table == "losses" || table == "tricks" {
                #expect(parts.count <= (variant.name == "mean teacher" ? 2 : 1), "\(variant.name) changes \(parts)")
                #expect(parts.isEmpty == (variant == recipe.variants[0]), "\(variant.name)")
            }
        }
    }

    @Test func everyLossAndEveryRowOfTheStudyIsThere() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: "\(Self.folder)/losses")
        #expect(try load("losses").variants.count == files.count + 1)
        let rows = try FileManager.default.contentsOfDirectory(atPath: "\(Self.folder)/s3d-table3")
        let variants = try load("s3d-table3").variants
        #expect(variants.count == rows.count)
        #expect(variants.filter { $0.start == nil }.map(\.name) == ["row 1", "row 2"])
    }

    @Test func rowsStartFromTheWeightsTheyName() throws {
        let recipe = try load("adapters")
        let weights = Initialization(name: "pretrained", weights: "w.safetensors", digest: "1")
        let rows = try recipe.initializations([weights])
        #expect(rows.map(\.name) == recipe.variants.map(\.name))
        #expect(rows[0].weights == nil && rows[1].weights == "w.safetensors" && rows[1].digest == "1")
        let comparison = try Comparison.small(initializations: rows, sizes: [2], seeds: [1], recipe: recipe.finetuning)
        for cell in comparison.cells {
            let variant = try #require(recipe.variants.first { $0.name == cell.key.initialization })
            #expect(cell.recipe == variant.finetuning && cell.initialization.recipe == nil)
        }
        #expect(try JSONDecoder().decode(Comparison.self, from: JSONEncoder().encode(comparison)) == comparison)
        let error = #expect(throws: ComparisonError.self) { _ = try recipe.initializations([]) }
        #expect(error == .unknownWeights(variant: "all", name: "pretrained") && error?.exitCode == 64)
        // Without variants the rows are scratch and all weights.
        let plain = try load("small")
        #expect(
            try plain.variants.isEmpty && plain.initializations([weights]).map(\.name) == ["scratch", "pretrained"])
    }

    @Test func aVariantThatCannotBeReadIsAnErrorAtOnce() throws {
        func read(_ variant: String) throws {
            _ = try ComparisonRecipe(
                RecipeDocument.parse(
                    "comparison:\n  variants: [{name: a}, \(variant)]", path: "\(Self.folder)/here.yaml"))
        }
        #expect(throws: RecipeError.self) { try read("{name: b, set: [loss.kind=guess]}") }
        #expect(throws: RecipeError.self) { try read("{name: b, recipes: losses/ce.yaml}") }
        #expect(throws: (any Error).self) { try read("{name: b, recipe: losses/none.yaml}") }
        try read("{name: b, recipe: losses/ce.yaml}")
    }

    @Test func storedFoldsAreASplit() throws {
        let split = Split.stored([["c01", "c02"], ["c00"]])
        let folds = split.divide((0..<4).map { "c0\($0)" })
        #expect(folds.map(\.test) == [["c01", "c02"], ["c00"]] && folds[1].training == ["c01", "c02", "c03"])
        #expect(try JSONDecoder().decode(Split.self, from: JSONEncoder().encode(split)) == split)
        #expect(Split("stored") == .stored([]) && split.description == "stored")
        #expect(try load("five-folds").split == .stored([]) && load("five-folds").sizes == [.full])
    }

    @Test func weightsThatWereFineTunedOnATestCaseAreRefused() throws {
        let folder = TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        let weights = "\(folder.path)/weights.safetensors"
        for (cases, isRefused) in [(["c01", "c02"], false), (["c01", "c05"], true)] {
            try SetupFile(trainingCases: cases).write(toRun: folder.path)
            let comparison = try Comparison.small(initializations: [
                .scratch, Initialization(name: "tuned", weights: weights),
            ])
            if isRefused {
                #expect(throws: ComparisonError.seenBefore(weights: weights, case: "c05")) {
                    try comparison.checkHeldOut()
                }
            } else {
                try comparison.checkHeldOut()
            }
        }
        // What cannot be read could hide anything.
        let comparison = try Comparison.small(initializations: [
            .scratch, Initialization(name: "tuned", weights: weights),
        ])
        let setup = URL(filePath: "\(folder.path)/setup.json")
        try String(contentsOf: setup, encoding: .utf8).replacing("c05", with: "c06").write(
            to: setup, atomically: true, encoding: .utf8)
        let error = #expect(throws: FinetuneError.self) { try comparison.checkHeldOut() }
        #expect(error?.exitCode == 65 && error?.description.contains(setup.path) == true)
    }
}
