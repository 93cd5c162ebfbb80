import Finetuning
import Foundation
import Networks
import Segmentation
import Tensors
import Testing
import Training
import Volumes

/// The recipes of schedules and tricks mean what their names say.
struct BundledRecipeTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Finetune")
        .path(percentEncoded: false)

    private static let names = ["s3d-table3", "schedules", "losses", "tricks", "adapters", "small-labels", "two-stage"]
        .flatMap {
            part in
            ((try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(part)")) ?? []).sorted().map {
                "\(part)/\($0)"
            }
        }

    private func load(_ name: String) throws -> (FinetuneRecipe, ResolvedRecipe) {
        try FinetuneRecipe.load("\(Self.folder)/\(name)")
    }

    @Test("every recipe resolves, reads back, and differs from the default", arguments: names)
    func resolves(name: String) throws {
        let (_, resolved) = try load(name)
        let again = try RecipeDocument.parse(resolved.yaml).resolve(FinetuneRecipe.init(reading:)).1
        #expect(again.yaml == resolved.yaml)
        if name != "s3d-table3/row-13.yaml" { #expect(try resolved.yaml != load("default.yaml").1.yaml) }
    }

    /// Methods, section 10.3: transfer, warm-ups, what trains, peak rate, steps.
    @Test(
        "the rows of the S3D study's Table 3",
        arguments: [
            ("03", .encoderAndDecoder, [], 0.01, 250_000), ("04", .encoderAndDecoder, [], 0.001, 250_000),
            ("05", .encoderAndDecoder, ["all"], 0.01, 262_500), ("06", .encoderAndDecoder, ["all"], 0.001, 262_500),
            ("07", .encoderAndDecoder, ["all"], 0.0001, 262_500), ("08", .encoder, [], 0.01, 250_000),
            ("09", .encoder, [], 0.001, 250_000), ("10", .encoder, ["all"], 0.01, 262_500),
            ("11", .encoder, ["all"], 0.001, 262_500), ("12", .encoder, ["decoder", "all"], 0.01, 275_000),
            ("13", .encoder, ["decoder", "all"], 0.001, 275_000),
            ("14", .encoder, ["decoder", "all"], 0.0001, 275_000),
            ("08-frozen", .encoder, [], 0.01, 250_000), ("09-frozen", .encoder, [], 0.001, 250_000),
            ("10-frozen", .encoder, ["decoder"], 0.01, 262_500), ("11-frozen", .encoder, ["decoder"], 0.001, 262_500),
        ] as [(String, TransferMode, [String], Double, Int)])
    func rows(row: String, transfer: TransferMode, warmUps: [String], peak: Double, steps: Int) throws {
        let recipe = try load("s3d-table3/row-\(row).yaml").0
        let schedule = recipe.training(isPretrained: true).schedule
        #expect(recipe.transfer == transfer && schedule.steps == steps && schedule.stepsPerUpdate == 250)
        #expect(schedule.stages.map(\.peak).allSatisfy { $0 == peak })
        #expect(schedule.stages.dropLast().map { $0.trains == .all ? "all" : "decoder" } == warmUps)
        #expect(
            schedule.stages.dropLast().allSatisfy { $0.steps == 12_500 && $0.shape == .warmUp && $0.renewsOptimizer })
        let main = try #require(schedule.stages.last)
        #expect(main.shape == .poly(exponent: 0.9) && !main.renewsOptimizer && main.steps == 250_000)
        #expect(main.trains == (row.hasSuffix("frozen") ? .only(["decoder"]) : .all))
    }

    @Test(
        "whole images are classified at Med3D's rates", arguments: ["classification.yaml", "classification-cpu.yaml"])
    func classification(name: String) throws {
        let recipe = try load(name).0
        #expect(recipe.classifies && recipe.loss.kind == .crossEntropy && recipe.training.rule is Adam)
        #expect(recipe.training(isPretrained: true).schedule.stages.allSatisfy { $0.peak == 0.001 })
    }

    @Test func theFirstRowsStartFromScratch() throws {
        let (dynamic, fixed) = (try load("s3d-table3/row-01.yaml").0, try load("s3d-table3/row-02.yaml").0)
        #expect(dynamic.transfer == .none && dynamic.plan.dynamic?.planner == .plain)
        #expect(fixed.transfer == .none && fixed.plan.dynamic == nil && fixed.plan.patch == 160)
        #expect(fixed.training(isPretrained: false).schedule == .fromScratch)
    }

    @Test func theSawtoothRisesAndFallsTwice() throws {
        let schedule = try load("schedules/sawtooth.yaml").0.training(isPretrained: true).schedule
        let epochs = [0, 24, 25, 49, 50, 99, 100, 999].map { schedule.learningRate(at: $0 * 250) }
        let expected = [
            1e-3 / 25, 1e-3, 1e-3, 1e-3 * pow(1 / 25.0, 0.9), 1e-3 / 50, 1e-3, 1e-3, 1e-3 * pow(1 / 900.0, 0.9),
        ]
        #expect(zip(epochs, expected).allSatisfy { abs($0 - $1) < 1e-9 } && schedule.steps == 250_000)
        #expect(schedule.stages.map { $0.trains == .all } == [false, false, true, true])
        #expect(
            schedule.stages.map(\.renewsOptimizer) == [true, false, true, false], "the optimizer is kept to the end")
    }

    @Test(
        "which parts of the network train",
        arguments: [
            ("frozen-encoder", ["decoder"], ["encoder.stem", "encoder.stages.0", "encoder.stages.5"]),
            ("shallow", ["encoder.stem", "encoder.stages.1", "decoder"], ["encoder.stages.2", "encoder.stages.5"]),
            ("deep", ["encoder.stages.4", "encoder.stages.5", "decoder"], ["encoder.stem", "encoder.stages.3"]),
        ] as [(String, [String], [String])])
    func parts(name: String, trained: [String], frozen: [String]) throws {
        let stages = try load("schedules/\(name).yaml").0.training(isPretrained: true).schedule.stages
        for parameter in try UNet(NetworkPreset.l.plan(outputChannels: 1), on: CPU(threads: 1)).namedParameters.map(
            \.name)
        {
            func isIn(_ modules: [String]) -> Bool { modules.contains { parameter.hasPrefix("\($0).") } }
            for stage in stages {
                if isIn(trained) { #expect(stage.trains.contains(parameter), "\(parameter)") }
                if isIn(frozen) { #expect(!stage.trains.contains(parameter), "\(parameter)") }
            }
        }
    }

    @Test func normsAndBiasesAreFewOfTheEncodersNumbers() throws {
        let stage = try #require(
            try load("schedules/norms-and-biases.yaml").0.training(isPretrained: true).schedule.stages.last)
        let encoder = try UNet(NetworkPreset.l.plan(outputChannels: 1), on: CPU(threads: 1)).namedParameters.filter {
            $0.name.hasPrefix("encoder.")
        }
        let trained = encoder.filter { stage.trains.contains($0.name) }
        #expect(trained.allSatisfy { $0.parameter.pytorchShape.rank == 1 } && !trained.isEmpty)
        #expect(encoder.filter { $0.parameter.pytorchShape.rank == 1 }.count == trained.count)
    }

    @Test func layersLearnSlowerTowardsTheInput() throws {
        let network = try UNet(NetworkPreset.l.plan(outputChannels: 1), on: CPU(threads: 1))
        let recipe = try load("schedules/layer-decay.yaml").0
        #expect(recipe.layerDecay == 0.75)
        let rates = Schedule.stagedWarmUps.decayed(by: 0.75, along: network).stages[2].rates
        // Five levels of the decoder, six stages of the encoder, the stem.
        for (name, depth) in [
            ("decoder.seg_layers.4.weight", 0), ("decoder.stages.4.convs.0.conv.weight", 0),
            ("decoder.transpconvs.0.weight", 4), ("encoder.stages.5.blocks.0.conv1.conv.weight", 5),
            ("encoder.stages.0.blocks.0.conv1.conv.weight", 10), ("encoder.stem.convs.0.conv.weight", 11),
        ] {
            #expect(abs(rates.factor(of: name) - pow(0.75, Double(depth))) < 1e-12, "\(name)")
        }
        #expect(network.namedParameters.allSatisfy { rates.factor(of: $0.name) < 1 || $0.name.hasPrefix("decoder.") })
    }

    @Test func smallLabelsAndAdaptersMeanWhatTheySay() throws {
        guard case .lowRank(let adaptation, let modules) = try load("adapters/lora.yaml").0.adapters else {
            return #expect(Bool(false), "no LoRA")
        }
        #expect(adaptation.rank == 8 && adaptation.scale == 16 && modules == ["encoder"])
        #expect(try load("adapters/residual.yaml").0.adapters == .residual(reduction: 8))
        #expect(
            try load("small-labels/mean-teacher.yaml").0.teacher
                == .meanTeacher(weight: 0.1, rise: 0.4, momentum: 0.99))
        #expect(
            try load("small-labels/distillation.yaml").0.teacher == .distillation(runs: [], share: 0.5, temperature: 2))
        #expect(
            try load("small-labels/pseudo-labels.yaml").0.teacher
                == .pseudoLabels(runs: [], confidence: 0.9, keep: 0.5, weight: WeightCourse(from: 0, to: 1, until: 0.4))
        )
        let (teacher, student) = (
            try load("small-cpu.yaml").0, try load("small-labels/small-student-cpu.yaml").0
        )
        let sizes = try [teacher, student].map { try #require($0.plan.network.plan).parameterCount }
        #expect(sizes[1] * 3 < sizes[0], "\(sizes)")
        // Less than 5 % of ResEnc-L's encoder train with LoRA of rank 8, and with adapters.
        let network = try UNet(NetworkPreset.l.plan(outputChannels: 1), on: CPU(threads: 2))
        let encoder = network.namedParameters.filter { $0.name.hasPrefix("encoder.") }
        let whole = encoder.reduce(0) { $0 + $1.parameter.pytorchShape.count }
        #expect(adaptation.attach(to: encoder, seed: 0) * 20 < whole && whole == 90_296_576)
        var adapted = NetworkPreset.l.plan(outputChannels: 1)
        adapted.adapterReduction = 8
        #expect((adapted.parameterCount - network.plan.parameterCount) * 20 < whole)
    }

    @Test func ratesMayFallInStepsOrByACosine() throws {
        let step = try load("schedules/adam-step.yaml").0.training(isPretrained: false).schedule
        for (at, rate) in [(0, 3e-4), (124_999, 3e-4), (125_000, 3e-5), (187_500, 3e-6), (249_999, 3e-6)] {
            #expect(abs(step.learningRate(at: at) - rate) < 1e-12, "step \(at)")
        }
        let recipe = try load("schedules/adamw-cosine.yaml").0
        #expect((recipe.training.rule as? Adam)?.isDecoupled == true)
        let cosine = recipe.training(isPretrained: true).schedule
        #expect(abs(cosine.learningRate(at: 12_500 + 125_000) - 1.5e-4) < 1e-12)
    }

    @Test func switchesChangeWhatTheyName() throws {
        func read(_ text: String) throws -> FinetuneRecipe {
            try RecipeDocument.parse(text).resolve(FinetuneRecipe.init(reading:)).0
        }
        let usual = try read("seed: 0")
        #expect(usual.oversampling == .share(0.33) && usual.carveMix == nil && usual.postProcessing == nil)
        #expect(
            try read("patches: {oversampling: probability, foreground_share: 0.3}").oversampling == .probability(0.3))
        #expect(try read("patches: {carve_mix: 0.5}").carveMix == CarveMix(probability: 0.5))
        let plan = Plan.fixed(channelNames: ["T1"], outputChannels: 3, patch: 32)
        let survey = try read("patches: {augmentation: gtaug_ab}\nprediction: {views: survey}")
        #expect(survey.cutter(for: plan).transforms.transforms.count == 4 && survey.window(for: plan).views == .survey)
        #expect(usual.window(for: plan).views == nil)
        let corrected = try read(
            "prediction: {largest_component: [1], smallest_objects: [{label: 2, voxels: 80}], connectivity: 6, hierarchy: inward}"
        )
        #expect(corrected.postProcessing?.steps == [.keepLargest(labels: [1]), .removeSmall(label: 2, voxels: 80)])
        #expect(corrected.postProcessing?.connectivity.rawValue == 6 && corrected.hierarchy == .inward)
        for (text, words) in [
            ("prediction: {connectivity: 8}", "6 (faces)"), ("prediction: {largest_component: [0]}", "from 1"),
            ("prediction: {views: all}", "mirrorings, survey"), ("patches: {carve_mix: 2}", "from 0 to 1"),
            ("plan: {kind: dynamic, patch: 64}", "plan.patch"), ("layer_decay: 2", "from 0 to 1"),
        ] {
            let error = #expect(throws: RecipeError.self) { _ = try read(text) }
            #expect(error?.description.contains(words) == true, "\(String(describing: error))")
        }
    }
}
