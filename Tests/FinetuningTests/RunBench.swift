import Finetuning
import Foundation
import Networks
import Segmentation
import Tensors
import Training
import Volumes
import WeightFiles

/// A small dataset, the weights of a network for it, and runs on it.
struct RunBench {
    let folder: TemporaryFolder
    let dataset: NNUNetDataset
    let pretrained: UNet
    let weights: String
    let cpu: CPU

    /// Two steps per stage with pre-trained weights: decoder warm-up, warm-up, main; three without.
    static let staged = """
        schedule:
          steps_per_update: 1
          stages:
            - {name: decoder warm-up, steps: 2, shape: warm_up, peak: 0.02, trains: [decoder], renew_optimizer: true}
            - {name: warm-up, steps: 2, shape: warm_up, peak: 0.02, renew_optimizer: true}
            - {name: main, steps: 2, shape: poly, peak: 0.02}
        scratch:
          stages: [{steps: 3, shape: poly, peak: 0.01}]
        prediction: {mirroring: false, validation_cases: 1}
        run: {checkpoint_steps: none, checkpoint_minutes: none, validation_interval: none}

        """

    /// - Parameter outputChannels: those of the network whose weights there are.
    init(_ cpu: CPU, cases: Int = 4, outputChannels: Int = 3) throws {
        self.cpu = cpu
        folder = try TemporaryFolder()
        dataset = try Phantom.smallDataset(in: folder, cases: cases, on: cpu)
        var plan = Plan.tiny(spacingMM: [2, 2, 2])
        try AtomicFile.write(try plan.json(), to: folder("plan.json"))
        plan.outputChannels = outputChannels
        pretrained = try UNet(NetworkPlan(plan), on: cpu)
        Initializer.pytorchDefault.initialize(pretrained, seed: 77)
        let card = TransferCard(
            architecture: pretrained.plan, method: "s3d", patch: 32, spacingMM: [1, 1, 1], normalization: ["z_score"])
        weights = folder("pretrained.safetensors")
        try SafetensorsFile.write(
            pretrained.storedTensors(everyAlias: false), metadata: card.metadata, to: weights)
    }

    /// Trains on the first two cases and validates on the third.
    func run(_ name: String, weights: String?, recipe text: String = staged, overrides: [String] = []) throws
        -> FinetuneRun
    {
        let recipe = try RecipeDocument.parse(text, overrides: ["plan.file=\(folder("plan.json"))"] + overrides)
            .resolve(FinetuneRecipe.init(reading:))
        let names = dataset.trainingCases.map(\.name)
        return FinetuneRun(
            dataset: dataset, trainingCases: Array(names.prefix(2)),
            validationCases: Array(names.dropFirst(2).prefix(1)),
            weights: weights, recipe: recipe, folder: folder(name), on: cpu)
    }

    func train(
        _ run: FinetuneRun, _ start: FinetuneRun.Start = .fresh, interruptAfter steps: Int? = nil,
        report: (TransferReport) -> Void = { _ in }
    ) throws -> SegmentationModel {
        try run.train(start, interruptAfter: steps, report: report)
    }

    func weightBytes(_ run: String) throws -> Data {
        try Data(contentsOf: URL(filePath: folder("\(run)/weights.safetensors")))
    }
}

extension FinetuneRun {
    /// Trains, and asks to stop after so many steps.
    func train(
        _ start: Start, interruptAfter steps: Int?, report: (TransferReport) -> Void = { _ in }
    ) throws -> SegmentationModel {
        let interruption = Interruption()
        // The bar is drawn at every step when the clock runs fast.
        var (reports, seconds) = (0, 0.0)
        var progress = Training.Progress(
            "test", total: schedule.steps, unit: "step", isTerminal: true,
            write: { _ in
                reports += 1
                if reports == steps { interruption.request() }
            },
            now: {
                seconds += 1
                return seconds
            })
        return try train(start, interruption: interruption, progress: &progress, report: report)
    }
}
