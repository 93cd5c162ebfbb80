import Finetuning
import Foundation
import Networks
import Segmentation
import Tensors
import Testing
import Training
import Volumes
import WeightFiles

/// Balls of two sizes in noise: the class is the size.
struct ClassificationRunTests {
    private let cpu = CPU(threads: 2)

    private func dataset(_ folder: TemporaryFolder, cases: Int) throws -> NNUNetDataset {
        try FileManager.default.createDirectory(
            atPath: folder("balls/imagesTr"), withIntermediateDirectories: true)
        var table = "case,class\n"
        for index in 0..<cases {
            var draws = Draws(seed: 5, purpose: "balls", sample: index)
            let radius = index % 2 == 0 ? 2.5 : 5.0
            let center = (0..<3).map { _ in 7.5 + draws.uniform(in: -1.5..<1.5) }
            let voxels = (0..<4096).map { voxel in
                let place = [voxel / 256, voxel / 16 % 16, voxel % 16]
                let distance = zip(place, center).reduce(0.0) { $0 + pow(Double($1.0) - $1.1, 2) }.squareRoot()
                return Float((distance < radius ? 3 : 1) + 0.3 * draws.normal())
            }
            let name = "ball_\(index < 10 ? "0" : "")\(index)"
            let volume = Volume(
                voxels: voxels, channelNames: ["T1"], geometry: Geometry(extent: 16, spacingMM: [1, 1, 1]))
            try NIfTIFile.write(volume, to: folder("balls/imagesTr/\(name)_0000.nii.gz"))
            table += "\(name),\(index % 2 == 0 ? "small" : "large")\n"
        }
        try Data(table.utf8).write(to: URL(filePath: folder("balls/classes.csv")))
        try Data(#"{"channel_names": {"0": "T1"}}"#.utf8).write(to: URL(filePath: folder("balls/dataset.json")))
        try AtomicFile.write(try Plan.tiny().json(), to: folder("plan.json"))
        return try NNUNetDataset(classifying: folder("balls"))
    }

    private func run(
        _ folder: TemporaryFolder, _ name: String, _ dataset: NNUNetDataset, weights: String? = nil,
        overrides: [String] = []
    ) throws -> FinetuneRun {
        let text = """
            plan: {head: classification, file: \(folder("plan.json")), initializer: pytorch-default}
            loss: {kind: ce}
            optimizer: {kind: adam, weight_decay: 0}
            schedule: {steps_per_update: 1, stages: [
              {name: head, steps: 2, shape: constant, peak: 0.01, trains: [decoder]},
              {name: main, steps: 4, shape: constant, peak: 0.01}]}
            scratch: {stages: [{steps: 60, shape: constant, peak: 0.01}]}
            patches: {augmentation: light}
            prediction: {mirroring: false, validation_cases: 2}
            run: {checkpoint_steps: none, checkpoint_minutes: none, validation_interval: none}
            """
        let names = dataset.trainingCases.map(\.name)
        return FinetuneRun(
            dataset: dataset, trainingCases: Array(names.prefix(12)), validationCases: Array(names.dropFirst(12)),
            weights: weights,
            recipe: try RecipeDocument.parse(text, overrides: overrides).resolve(FinetuneRecipe.init(reading:)),
            folder: folder(name), on: cpu)
    }

    private func train(_ run: FinetuneRun, _ start: FinetuneRun.Start = .fresh, interruptAfter steps: Int? = nil) throws
        -> SegmentationModel
    {
        try run.train(start, interruptAfter: steps)
    }

    @Test func theSizeOfABallIsLearned() throws {
        let folder = try TemporaryFolder()
        let dataset = try dataset(folder, cases: 20)
        let run = try run(folder, "run", dataset)
        let model = try train(run)
        #expect(model.card.classifies && model.card.classes.map(\.name) == ["large", "small"])
        let scores = try run.classify(model, run.validationCases)
        #expect(scores.images.count == 8 && scores.meanArea == 1 && scores.accuracy.value > 0.8, "\(scores.images)")
        // The folder holds the same model.
        let opened = try Classifier(ofRuns: [folder("run")], on: cpu)
        let image = try dataset.readImage(dataset.labeledCase(run.validationCases[0]))
        #expect(try opened.probabilities(of: image) == scores.images[0].probabilities)
        let table = try String(contentsOfFile: folder("run/predictions/class-probabilities.csv"), encoding: .utf8)
        #expect(table.hasPrefix("case,class,p(large),p(small)\nball_12,small,"))
        let log = try RunLog.read(folder("run/log.jsonl"))
        #expect(log.last?.validation?["accuracy"] != nil)
        let weights = try WeightsFile.read(folder("run/weights.safetensors"))
        #expect(weights.card?.method == "classification" && weights.card?.transferable == ["encoder"])
    }

    @Test(arguments: [1, 3])
    func aResumedRunEndsInTheSameBits(step: Int) throws {
        let folder = try TemporaryFolder()
        let dataset = try dataset(folder, cases: 14)
        let short = ["scratch.stages=[{steps: 5, shape: poly, peak: 0.01}]"]
        _ = try train(run(folder, "whole", dataset, overrides: short))
        let cut = try run(folder, "cut", dataset, overrides: short)
        #expect(throws: TrainingInterrupted.self) { _ = try train(cut, interruptAfter: step) }
        _ = try train(cut, .resuming)
        let bytes = try ["whole", "cut"].map {
            try Data(contentsOf: URL(filePath: folder("\($0)/weights.safetensors")))
        }
        #expect(bytes[0] == bytes[1])
    }

    @Test("pre-trained encoders are taken, and give theirs to segmentation", arguments: ["none", "lora"])
    func transfer(adapters: String) throws {
        let folder = try TemporaryFolder()
        let dataset = try dataset(folder, cases: 14)
        let first = try train(
            run(folder, "first", dataset, overrides: ["scratch.stages=[{steps: 2, shape: poly, peak: 0.01}]"]))
        let second = try run(
            folder, "second", dataset, weights: folder("first"),
            overrides: [
                "adapters.kind=\(adapters)",
                "schedule.stages=[{steps: 2, shape: constant, peak: 0.01, trains: [decoder]}]",
            ])
        let trained = try train(second).network.encoder.namedParameters
        for ((_, old), (name, new)) in zip(first.network.encoder.namedParameters, trained) {
            #expect(old.scalars == new.scalars, "\(name) was to stay")
        }
        let bench = try RunBench(cpu)
        let segmentation = try bench.run("segmentation", weights: folder("first"))
        var report: TransferReport?
        _ = try bench.train(segmentation) { report = $0 }
        #expect(report?.taken.count == first.network.encoder.namedParameters.count)
    }

    @Test(
        "switches that need labels of voxels are refused",
        arguments: ["loss.kind=dice_ce", "patches.carve_mix=0.5", "teacher={kind: mean_teacher}", "region.margin_mm=5"])
    func refused(setting: String) throws {
        let folder = try TemporaryFolder()
        let dataset = try dataset(folder, cases: 14)
        let error = #expect(throws: FinetuneError.self) {
            _ = try train(run(folder, "run", dataset, overrides: [setting]))
        }
        #expect(error?.description.contains("labels of voxels") == true)
        #expect(!FileManager.default.fileExists(atPath: folder("run")))
        #expect(throws: FinetuneError.self) {
            var other = try RunBench(cpu).run("other", weights: nil)
            other.dataset = dataset
            _ = try train(other)
        }
    }
}
