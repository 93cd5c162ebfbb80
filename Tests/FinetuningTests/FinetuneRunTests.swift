import Finetuning
import Foundation
import Networks
import Segmentation
import Tensors
import Testing
import Training
import Volumes
import WeightFiles

struct FinetuneRunTests {
    private let cpu = CPU(threads: 2)

    private func values(_ network: UNet) -> [String: [Float]] {
        Dictionary(uniqueKeysWithValues: network.namedParameters.map { ($0.name, $0.parameter.scalars) })
    }

    @Test func theDecoderWarmUpLeavesEveryTensorOfTheEncoderAsItIs() throws {
        let bench = try RunBench(cpu, outputChannels: 1)
        let stage = "{steps: 3, shape: warm_up, peak: 0.05, trains: [decoder], renew_optimizer: true}"
        let run = try bench.run("run", weights: bench.weights, overrides: ["schedule.stages=[\(stage)]"])
        let trained = values(try bench.train(run).network)
        let pretrained = values(bench.pretrained)
        for (name, value) in trained where name.hasPrefix("encoder.") {
            #expect(value == pretrained[name], "\(name) changed")
        }
        let start = try UNet(NetworkPlan(.tiny(spacingMM: [2, 2, 2])), on: cpu)
        Initializer.he.initialize(start, seed: 0)
        let moved = values(start).filter { $0.key.hasPrefix("decoder.") && trained[$0.key] != $0.value }
        #expect(moved.keys.contains("decoder.transpconvs.0.weight") && moved.keys.contains("decoder.seg_layers.0.bias"))
    }

    @Test func aRateOfZeroLeavesAModuleAsItIs() throws {
        let bench = try RunBench(cpu, outputChannels: 1)
        let stage = "{steps: 2, shape: warm_up, peak: 0.05, rates: [{module: encoder.stages, factor: 0}]}"
        let run = try bench.run("run", weights: bench.weights, overrides: ["schedule.stages=[\(stage)]"])
        let (trained, pretrained) = (values(try bench.train(run).network), values(bench.pretrained))
        for (name, value) in trained where name.hasPrefix("encoder.stages.") { #expect(value == pretrained[name]) }
        #expect(trained["encoder.stem.convs.0.conv.weight"] != pretrained["encoder.stem.convs.0.conv.weight"])
        let error = #expect(throws: TrainingError.self) {
            let stage = "{steps: 2, shape: warm_up, peak: 0.05, rates: [{module: encodre, factor: 0}]}"
            _ = try bench.train(bench.run("wrong", weights: nil, overrides: ["scratch.stages=[\(stage)]"]))
        }
        #expect(error?.description.contains("encodre") == true)
    }

    /// Rates that fall towards the input apply to pre-trained weights only.
    @Test func layerDecayIsForPretrainedWeights() throws {
        let bench = try RunBench(cpu, outputChannels: 1)
        for (name, weights) in [("scratch", nil), ("pretrained", bench.weights)] {
            _ = try bench.train(bench.run("\(name)", weights: weights))
            _ = try bench.train(bench.run("\(name)-decayed", weights: weights, overrides: ["layer_decay=0.5"]))
            let tensors = try [name, "\(name)-decayed"].map {
                try SafetensorsFile.read(bench.folder("\($0)/weights.safetensors")).tensors
            }
            #expect((tensors[0] == tensors[1]) == (weights == nil))
        }
    }

    @Test(
        "a single case, and every switch, train and predict",
        arguments: [
            ["patches.augmentation=gtaug_ab", "prediction.views=survey", "prediction.mirroring=true"],
            ["patches.carve_mix=1", "patches.oversampling=probability", "prediction.largest_component=[1, 2]"],
            ["loss.kind=boundary"], ["loss.kind=hausdorff_dt"], ["loss.kind=dice_perimeter"],
            ["loss={kind: ce, weighting: effective_number}"], ["loss={kind: dice_top_k, deep_supervision: false}"],
        ])
    func switches(overrides: [String]) throws {
        let bench = try RunBench(cpu, outputChannels: 1)
        var run = try bench.run("run", weights: nil, overrides: overrides)
        run.trainingCases = Array(run.trainingCases.prefix(1))
        let model = try bench.train(run)
        let log = try RunLog.read(bench.folder("run/log.jsonl"))
        #expect(log.compactMap(\.loss).count == 3 && log.compactMap(\.loss).allSatisfy(\.isFinite))
        let held = bench.dataset.trainingCases[3]
        #expect(try run.evaluate(model, on: [held.name]).cases.count == 1)
        // The same switches again, and none: the first is the same, the second another training.
        var again = try bench.run("again", weights: nil, overrides: overrides)
        again.trainingCases = run.trainingCases
        _ = try bench.train(again)
        #expect(try bench.weightBytes("run") == bench.weightBytes("again"))
        var plain = try bench.run("plain", weights: nil)
        plain.trainingCases = run.trainingCases
        _ = try bench.train(plain)
        #expect(try bench.weightBytes("run") != bench.weightBytes("plain"))
    }

    @Test func regionsAreTrainedPredictedAndScored() throws {
        let bench = try RunBench(cpu, outputChannels: 1)
        let description = bench.folder("data/dataset.json")
        var json = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: description))) as? [String: Any])
        json["labels"] = ["background": 0, "whole": [1, 2]] as [String: Any]
        json["regions_class_order"] = [1]
        try JSONSerialization.data(withJSONObject: json).write(to: URL(filePath: description))
        var plan = Plan.tiny(spacingMM: [2, 2, 2])
        plan.outputChannels = 1
        try AtomicFile.write(try plan.json(), to: bench.folder("plan.json"))
        var run = try bench.run("run", weights: nil)
        run.dataset = try NNUNetDataset(path: bench.folder("data"))
        let model = try bench.train(run)
        #expect(model.card.regions?.map(\.name) == ["whole"])
        let held = bench.dataset.trainingCases[3]
        let scores = try run.evaluate(model, on: [held.name])
        #expect(scores.structures.map(\.name) == ["whole"] && scores.structures[0].labels == [1, 2])
        let labels = try NIfTIFile.readLabels(bench.folder("run/predictions/\(held.name).nii.gz"))
        #expect(Set(labels.values).isSubset(of: [0, 1]), "the region writes its label")
        let error = #expect(throws: FinetuneError.self) {
            var focal = try bench.run("focal", weights: nil, overrides: ["loss.kind=focal"])
            focal.dataset = run.dataset
            _ = try bench.train(focal)
        }
        #expect(error?.description.contains("regions overlap") == true)
    }

    @Test func aDynamicPlanFollowsFromTheDataset() throws {
        let bench = try RunBench(cpu, outputChannels: 1)
        let recipe = try RecipeDocument.parse("plan: {kind: dynamic}").resolve(FinetuneRecipe.init(reading:)).0
        let plan = try recipe.plan.plan(for: bench.dataset, on: cpu)
        let expected = DynamicPlanner(preset: .plain).plans(
            for: try Fingerprint(of: bench.dataset, on: cpu), channelNames: bench.dataset.channelNames,
            outputChannels: 3)
        #expect(plan == expected.fullResolution && plan.network.architecture == .plain)
        let coarse = try RecipeDocument.parse("plan: {kind: dynamic, configuration: 3d_lowres}").resolve(
            FinetuneRecipe.init(reading:)
        ).0
        #expect(throws: FinetuneError.self) { _ = try coarse.plan.plan(for: bench.dataset, on: cpu) }
    }

    @Test(arguments: [1, 3, 4])
    func aRunInterruptedInAnyStageEndsInTheSameBits(step: Int) throws {
        let bench = try RunBench(cpu, outputChannels: 1)
        _ = try bench.train(bench.run("whole", weights: bench.weights))
        let cut = try bench.run("cut", weights: bench.weights)
        let interrupted = #expect(throws: TrainingInterrupted.self) { _ = try bench.train(cut, interruptAfter: step) }
        #expect(interrupted?.steps == step)
        _ = try bench.train(cut, .resuming)
        #expect(try bench.weightBytes("whole") == bench.weightBytes("cut"))
        let logs = try ["whole", "cut"].map { try RunLog.read(bench.folder("\($0)/log.jsonl")) }
        #expect(logs[0].map(\.loss) == logs[1].map(\.loss))
        let stages = logs[0].compactMap(\.stage)
        #expect(stages == ["decoder warm-up", "decoder warm-up", "warm-up", "warm-up", "main", "main"])
    }

    /// The card says 1 mm and z-score; the plan 2 mm and values from 0 to 1.
    @Test func imagesCanBePreprocessedLikeThoseOfThePretraining() throws {
        let bench = try RunBench(cpu, outputChannels: 1)
        var plan = Plan.tiny(spacingMM: [2, 2, 2])
        plan.channels[0].normalization = .zeroToOne
        try AtomicFile.write(try plan.json(), to: bench.folder("plan.json"))
        let wish = ["plan.preprocessing=like-pretrained"]
        let alike = try bench.train(bench.run("alike", weights: bench.weights, overrides: wish)).card.plan
        #expect(alike.spacingMM == [1, 1, 1] && alike.channels[0].normalization == .zScore(insideOnly: false))
        #expect(alike.patch == plan.patch)
        for (name, weights, overrides) in [("own", bench.weights, []), ("scratch", nil, wish)] {
            #expect(try bench.train(bench.run(name, weights: weights, overrides: overrides)).card.plan == plan)
        }
        try SafetensorsFile.write(
            bench.pretrained.storedTensors(everyAlias: false), to: bench.folder("bare.safetensors"))
        #expect(throws: FinetuneError.self) {
            try bench.train(bench.run("bare", weights: bench.folder("bare.safetensors"), overrides: wish))
        }
    }

    @Test func weightsOfPyTorchAreTakenLikeOurs() throws {
        let bench = try RunBench(cpu, outputChannels: 1)
        let export = try CheckpointExport(WeightsFile.read(bench.weights))
        try export.write(.nnUNet, to: bench.folder("checkpoint.pth"))
        _ = try bench.train(bench.run("ours", weights: bench.weights))
        _ = try bench.train(bench.run("theirs", weights: bench.folder("checkpoint.pth")))
        #expect(try bench.weightBytes("ours") == bench.weightBytes("theirs"))
        let network = GenesisUNet(width: 1, on: cpu)
        try SafetensorsFile.write(network.storedTensors(everyAlias: false), to: bench.folder("genesis.safetensors"))
        let error = #expect(throws: FinetuneError.self) {
            try bench.run("genesis", weights: bench.folder("genesis.safetensors")).checkWeights()
        }
        #expect(error?.description.contains("Models Genesis") == true)
    }

    @Test func fromScratchFollowsItsOwnScheduleAndIsRepeatable() throws {
        let bench = try RunBench(cpu, outputChannels: 1)
        _ = try bench.train(bench.run("first", weights: nil))
        _ = try bench.train(bench.run("second", weights: nil))
        _ = try bench.train(bench.run("third", weights: nil, overrides: ["seed=1"]))
        #expect(try bench.weightBytes("first") == bench.weightBytes("second"))
        #expect(try bench.weightBytes("first") != bench.weightBytes("third"))
        let log = try RunLog.read(bench.folder("first/log.jsonl"))
        #expect(log.compactMap(\.learningRate).count == 3 && log[0].learningRate == 0.01)
        #expect(log.last?.validation?["dice"] != nil)
        // Recipes that transfer nothing ignore weights.
        _ = try bench.train(bench.run("none", weights: bench.weights, overrides: ["transfer=none"]))
        let tensors = try ["first", "none"].map {
            try SafetensorsFile.read(bench.folder("\($0)/weights.safetensors")).tensors
        }
        #expect(tensors[0] == tensors[1])
    }

    @Test func theReportTellsWhatWasTakenAndWhatTheWeightsWereTrainedFor() throws {
        let bench = try RunBench(cpu, outputChannels: 1)
        let run = try bench.run("run", weights: bench.weights)
        var report: TransferReport?
        var progress = Training.Progress.silent
        try run.train(progress: &progress) { report = $0 }
        let remarks = try #require(report).remarks
        #expect(remarks.contains { $0.contains("1.0x1.0x1.0 mm") && $0.contains("2.0x2.0x2.0 mm") })
        #expect(remarks.contains { $0.contains("32x32x32") && $0.contains("16x16x16") })
        #expect(FileManager.default.fileExists(atPath: bench.folder("run/transfer.json")))
    }

    @Test func anEvaluationScoresEveryCaseAndKeepsThePredictions() throws {
        let bench = try RunBench(cpu, outputChannels: 1)
        let run = try bench.run("run", weights: nil)
        let model = try bench.train(run)
        let held = bench.dataset.trainingCases[3]
        let scores = try run.evaluate(model, on: [held.name])
        #expect(scores.structures.map(\.name) == ["anterior", "posterior"] && scores.cases.map(\.name) == [held.name])
        let prediction = try NIfTIFile.readLabels(bench.folder("run/predictions/\(held.name).nii.gz"))
        let reference = try NIfTIFile.readLabels(try #require(held.labelPath))
        #expect(prediction.geometry.matches(reference.geometry))
        let right = zip(prediction.labels, reference.labels).filter { $0 == 1 && $1 == 1 }.count
        let either = (prediction.labels + reference.labels).filter { $0 == 1 }.count
        let dice = scores.scores(.dice, ofStructure: 0).mean
        #expect(either == 0 ? dice.isNaN : abs(dice - 2 * Double(right) / Double(either)) < 1e-12)
        // The same model from its folder predicts the same.
        let read = try Ensemble(ofRuns: [bench.folder("run")], on: cpu)
        #expect(try read.segment(bench.dataset.readImage(held)).labels == prediction.labels)
        #expect(FileManager.default.fileExists(atPath: bench.folder("run/summary.json")))
    }

    @Test func casesThatDoNotFitIntoMemoryComeFromAStore() throws {
        let bench = try RunBench(cpu, outputChannels: 1)
        _ = try bench.train(bench.run("memory", weights: nil))
        var run = try bench.run("store", weights: nil)
        run.memoryBudget = 0
        _ = try bench.train(run)
        #expect(try bench.weightBytes("memory") == bench.weightBytes("store"))
        #expect(try PreprocessedStore(opening: bench.folder("store/preprocessed")).caseNames.count == 3)
    }

    @Test func anotherSetupCannotBeResumedAndMistakesLeaveNoFolder() throws {
        let bench = try RunBench(cpu, outputChannels: 1)
        let run = try bench.run("run", weights: bench.weights)
        #expect(throws: TrainingInterrupted.self) { _ = try bench.train(run, interruptAfter: 1) }
        var other = run
        other.trainingCases.removeLast()
        let error = #expect(throws: FinetuneError.self) { _ = try bench.train(other, .resuming) }
        #expect(error?.description.contains("training cases") == true && error?.exitCode == 64)

        var overlapping = try bench.run("overlap", weights: nil)
        overlapping.validationCases = overlapping.trainingCases
        #expect(throws: FinetuneError.self) { _ = try bench.train(overlapping) }
        var unknown = try bench.run("unknown", weights: nil)
        unknown.trainingCases = ["nobody"]
        #expect(throws: SegmentationError.self) { _ = try bench.train(unknown) }
        #expect(throws: (any Error).self) { _ = try bench.train(bench.run("nowhere", weights: "/no/such/weights")) }
        for name in ["overlap", "unknown", "nowhere"] {
            #expect(!FileManager.default.fileExists(atPath: bench.folder(name)))
        }
    }
}
