import Finetuning
import Foundation
import Networks
import Segmentation
import Tensors
import Testing
import Training
import Volumes
import WeightFiles

/// What a plan decides is what a training does.
struct PlanSwitchTests {
    private let cpu = CPU(threads: 2)

    private func write(_ bench: RunBench, _ change: (inout Plan) -> Void) throws {
        var plan = Plan.tiny(spacingMM: [2, 2, 2])
        change(&plan)
        try AtomicFile.write(try plan.json(), to: bench.folder("plan.json"))
    }

    private func tensors(_ bench: RunBench, _ run: String) throws -> [String: StoredTensor] {
        try SafetensorsFile.read(bench.folder("\(run)/weights.safetensors")).tensors
    }

    @Test func thePlansDiceOverTheBatchIsTheLosss() throws {
        let bench = try RunBench(cpu)
        for (name, ofPlan, key) in [
            ("plain", false, "none"), ("planned", true, "none"), ("written", false, "true"), ("refused", true, "false"),
        ] {
            try write(bench) { $0.batchDice = ofPlan }
            _ = try bench.train(bench.run(name, weights: nil, overrides: ["loss.batch_dice=\(key)"]))
        }
        let (plain, planned) = (try tensors(bench, "plain"), try tensors(bench, "planned"))
        #expect(plain != planned)
        #expect(try tensors(bench, "written") == planned && tensors(bench, "refused") == plain)
    }

    @Test("norms of a plan train, resume and predict", arguments: [NormKind.batch, .group])
    func norms(norm: NormKind) throws {
        let bench = try RunBench(cpu)
        try write(bench) { $0.network.norm = norm }
        let model = try bench.train(bench.run("whole", weights: nil))
        #expect(model.network.plan.norm == norm)
        let cut = try bench.run("cut", weights: nil)
        #expect(throws: TrainingInterrupted.self) { _ = try bench.train(cut, interruptAfter: 2) }
        _ = try bench.train(cut, .resuming)
        #expect(try tensors(bench, "whole") == tensors(bench, "cut"))
        let image = try bench.dataset.readImage(bench.dataset.trainingCases[3])
        let read = try Ensemble(ofRuns: [bench.folder("whole")], on: cpu).segment(image).labels
        #expect(try Ensemble([model], on: cpu).segment(image).labels == read)
    }

    @Test func aRecipesNormReachesThePlan() throws {
        let bench = try RunBench(cpu)
        for (text, norm) in [
            ("plan: {norm: batch}", NormKind.batch), ("plan: {kind: dynamic, norm: group}", .group),
            ("plan: {kind: dynamic}", nil),
        ] {
            let recipe = try RecipeDocument.parse(text).resolve(FinetuneRecipe.init(reading:)).0
            #expect(try recipe.plan.plan(for: bench.dataset, on: cpu).network.norm == norm)
        }
    }

    @Test func batchNormsNeitherDivideNorRecompute() throws {
        let bench = try RunBench(cpu)
        try write(bench) { $0.network.norm = .batch }
        let recomputing = try bench.run("recomputing", weights: nil, overrides: ["memory.recompute=true"])
        let error = #expect(throws: FinetuneError.self) { _ = try bench.train(recomputing) }
        #expect(error?.description.contains("memory.recompute=false") == true)
        #expect(!FileManager.default.fileExists(atPath: recomputing.folder))
        let divided = try bench.run("divided", weights: nil, overrides: ["memory.micro_batch=1"])
        #expect(throws: TrainingError.self) { _ = try bench.train(divided) }
    }

    @Test("networks with norms of their own refuse others", arguments: ["medicalnet-10", "genesis", "of-weights"])
    func foreignNorms(preset: String) throws {
        let document = try RecipeDocument.parse("plan: {preset: \(preset), patch: [32, 32, 32]}")
        _ = try document.resolve(FinetuneRecipe.init(reading:))
        let error = #expect(throws: RecipeError.self) {
            let changed = try RecipeDocument.parse("plan: {preset: \(preset), patch: [32, 32, 32], norm: group}")
            _ = try changed.resolve(FinetuneRecipe.init(reading:))
        }
        #expect(error?.description.contains(preset) == true)
    }

    /// Slices: a plan of nnU-Net's 2d configuration, shrunk, on volumes.
    @Test func slicesTrainAndPredictVolumes() throws {
        let bench = try RunBench(cpu)
        let recipe = try RecipeDocument.parse("plan: {kind: dynamic, configuration: 2d}")
            .resolve(FinetuneRecipe.init(reading:)).0
        var plan = try recipe.plan.plan(for: bench.dataset, on: cpu)
        #expect(plan.patch.depth == 1 && plan.spacingMM[0] == nil && plan.batchDice)
        plan.network.features = plan.network.features.map { $0 / 16 }
        plan.batch = 2
        try AtomicFile.write(try plan.json(), to: bench.folder("plan.json"))
        let run = try bench.run("run", weights: nil)
        let model = try bench.train(run)
        let held = bench.dataset.trainingCases[3]
        #expect(try run.evaluate(model, on: [held.name]).cases.count == 1)
    }
}
