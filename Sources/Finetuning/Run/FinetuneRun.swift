import Evaluation
import Foundation
import Networks
import Ranks
import Segmentation
import Tensors
import Training
import Volumes
import WeightFiles

/// One fine-tuning from data to scores: what the command `finetune` does once, and a comparison many times.
///
/// The run's folder holds what ``RunDirectory`` says, and `model.json` (see ``SegmentationModelCard``), `setup.json`,
/// `transfer.json` and, after an evaluation, `predictions/` and `summary.json`.
public struct FinetuneRun {
    /// Whether a run begins or goes on.
    public enum Start: Sendable {
        /// The folder must be empty.
        case fresh
        /// The folder must hold a run with the same recipe and setup.
        case resuming
        /// Goes on with a run that the folder holds, else begins one.
        case either
    }

    /// The labeled cases.
    public var dataset: NNUNetDataset
    /// The names of the cases to train on.
    public var trainingCases: [String]
    /// The names of the cases to validate on while training; some of them, as the recipe says. May be empty.
    public var validationCases: [String]
    /// A file of pre-trained weights, or the folder of a run; nil for random weights.
    public var weights: String?
    /// All settings.
    public var recipe: FinetuneRecipe
    /// The same settings as the run's folder keeps them.
    public var resolvedRecipe: ResolvedRecipe
    /// Where everything is written.
    public var folder: String
    /// A preprocessed store to use and to add to. By default small datasets are kept in memory and large ones in
    /// `preprocessed/` in the run's folder.
    public var store: String?
    /// The size up to which preprocessed cases are kept in memory.
    public var memoryBudget = 4 << 30
    /// Who else trains; all call ``train(_:interruption:progress:report:)`` at once, and see one file system.
    public var ranks: any Communicator = OneProcess()
    let cpu: CPU

    /// A run.
    /// - Parameter recipe: with all its values, as ``FinetuneRecipe/load(_:overrides:)`` gives it.
    public init(
        dataset: NNUNetDataset, trainingCases: [String], validationCases: [String] = [], weights: String? = nil,
        recipe: (FinetuneRecipe, ResolvedRecipe), folder: String, on cpu: CPU
    ) {
        (self.dataset, self.trainingCases, self.validationCases) = (dataset, trainingCases, validationCases)
        (self.weights, self.folder, self.cpu) = (weights, folder, cpu)
        (self.recipe, resolvedRecipe) = recipe
    }

    /// Whether the run starts from pre-trained weights: it has some, and the recipe takes them.
    public var isPretrained: Bool { weights != nil && recipe.transfer != .none }

    /// The stages of the training.
    public var schedule: Schedule { recipe.training(isPretrained: isPretrained).schedule }

    /// Trains.
    /// - Parameters:
    ///   - report: told what became of the pre-trained weights, before the first step.
    /// - Returns: the trained model.
    /// - Throws: `TrainingInterrupted` after an interruption that saved its state; errors of data, recipe and files.
    @discardableResult
    public func train(
        _ start: Start = .fresh, interruption: Interruption = Interruption(), progress: inout Training.Progress,
        report tell: (TransferReport) -> Void = { _ in }
    ) throws -> SegmentationModel {
        if let twice = trainingCases.first(where: validationCases.contains) {
            throw FinetuneError.overlappingSplit(case: twice)
        }
        let plan = try plan()
        // What is wrong with plan, weights or cases comes to light before the folder is touched.
        let network = try UNet(NetworkPlan(plan, deepSupervision: recipe.loss.deepSupervision), on: cpu)
        recipe.plan.initializer.initialize(network, seed: recipe.seed)
        let report = try transferred(to: network, plan: plan)
        let inMemory = try casesInMemory(plan)
        var card = SegmentationModelCard(
            plan: plan, classes: dataset.classes, regions: dataset.regions, window: recipe.window(for: plan),
            postProcessing: recipe.postProcessing)
        card.hierarchy = recipe.hierarchy
        let (directory, cases) = try ranks.firstThenOthers { () throws -> (RunDirectory, [LabeledCase]) in
            guard ranks.isFirst else {
                return (RunDirectory.follow(folder, recipe: resolvedRecipe), try inMemory ?? casesInStore(plan))
            }
            let directory = try runDirectory(start)
            try record(card, report)
            return (directory, try inMemory ?? casesInStore(plan))
        }
        if ranks.isFirst, let report { tell(report) }
        let task = try task(network, plan: plan, cases: cases)
        var training = recipe.training(isPretrained: isPretrained)
        if isPretrained, let decay = recipe.layerDecay {
            training.schedule = training.schedule.decayed(by: decay, along: network)
        }
        var loop = try TrainingLoop(task, recipe: training, in: directory, ranks: ranks)
        try loop.train(interruption: interruption, progress: &progress)
        return SegmentationModel(path: folder, card: card, network: network)
    }

    /// Writes what the run is made of, or makes sure that the run to resume is made of the same.
    private func record(_ card: SegmentationModelCard, _ report: TransferReport?) throws {
        try FinetuneSetup(
            dataset: dataset.path, trainingCases: trainingCases, validationCases: validationCases, weights: weights,
            weightsDigest: weightsFile.map(ContentDigest.ofFile)
        ).record(inRun: folder)
        try card.write(toRun: folder)
        if let report {
            try AtomicFile.write(try JSONEncoder().encode(report), to: "\(folder)/transfer.json")
        }
    }

    /// Makes sure that the pre-trained weights, if there are any, fit the network: before hours are spent on other runs.
    /// - Throws: errors of the file, and of tensors that are missing or have another shape.
    public func checkWeights() throws {
        guard isPretrained else { return }
        let plan = try plan()
        _ = try transferred(
            to: UNet(NetworkPlan(plan, deepSupervision: recipe.loss.deepSupervision), on: cpu), plan: plan)
    }

    private func runDirectory(_ start: Start) throws -> RunDirectory {
        let isBegun = FileManager.default.fileExists(atPath: "\(folder)/recipe.yaml")
        switch start {
        case .fresh: return try RunDirectory.create(folder, recipe: resolvedRecipe)
        case .resuming: return try RunDirectory.resume(folder, recipe: resolvedRecipe)
        case .either:
            return try isBegun
                ? RunDirectory.resume(folder, recipe: resolvedRecipe)
                : RunDirectory.create(folder, recipe: resolvedRecipe)
        }
    }

    /// The file of the pre-trained weights, in the folder of a run or given itself.
    var weightsFile: String? {
        weights.map { path in
            var isFolder: ObjCBool = false
            let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
            return exists && isFolder.boolValue ? "\(path)/\(SegmentationModel.weightsName)" : path
        }
    }

    /// Gives the network the pre-trained weights; nil if there are none or the recipe wants none.
    private func transferred(to network: UNet, plan: Plan) throws -> TransferReport? {
        guard let path = weightsFile, isPretrained else { return nil }
        let source = try WeightsFile.read(path)
        var report = try Transfer(recipe.transfer)(source.unet(), to: network.namedParameters)
        report.skipped += source.skipped.map { .init(name: $0.name, reason: $0.reason) }
        report.remarks = source.card.map { $0.remarks(on: plan) } ?? []
        return report
    }

    /// The task of training on the first of `cases` and validating on the others.
    private func task(_ network: UNet, plan: Plan, cases: [LabeledCase]) throws -> SegmentationTask {
        var window = recipe.window(for: plan)
        window.mirroredAxes = []
        let shown = Array(cases.prefix(trainingCases.count))
        var batches = try SegmentationBatches(
            of: shown, cutter: recipe.cutter(for: plan), batchSize: plan.batch, seed: recipe.seed)
        batches.carveMix = recipe.carveMix
        var loss = try loss(plan, of: shown)
        if ranks.count > 1, recipe.training.microBatch == nil {
            let division = try BatchDivision(samples: plan.batch, rank: ranks.rank, ranks: ranks.count)
            loss = loss.pooled(BatchPool(ranks, share: division.weight(of: division.parts[0]))) ?? loss
        }
        return SegmentationTask(
            network, plan: plan, batches: batches, loss: loss, steps: schedule.steps,
            validation: ValidationCases(
                Array(cases.dropFirst(trainingCases.count)), window: window, dataset: dataset),
            recomputes: recipe.training.recomputes, on: cpu)
    }

    /// The recipe's loss for the dataset.
    private func loss(_ plan: Plan, of cases: [LabeledCase]) throws -> any SegmentationLoss {
        let classes = dataset.classes.count
        return try recipe.loss.loss(
            for: LossSetting(
                classes: classes,
                regions: dataset.regions.map { Regions($0.map { $0.labels.map(Int32.init) }) },
                ignoredLabel: dataset.ignoreLabel.map(Int32.init),
                spacingMM: plan.spacingMM.map { $0 ?? 1 }
            ) { try cases.map { try $0.voxelCounts(labels: classes) } })
    }
}

extension TransferCard {
    /// In what the plan differs from what the weights were trained for.
    fileprivate func remarks(on plan: Plan) -> [String] {
        let spacing = plan.spacingMM.map { $0.map { "\($0)" } ?? "any" }.joined(separator: "x")
        let trained = spacingMM.map { "\($0)" }.joined(separator: "x")
        var remarks: [String] = []
        if spacing != trained { remarks.append("pre-trained at \(trained) mm, fine-tuned at \(spacing) mm") }
        if patch != plan.patch { remarks.append("pre-trained on patches of \(patch), fine-tuned on \(plan.patch)") }
        return remarks
    }
}
