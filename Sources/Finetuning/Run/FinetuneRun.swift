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
    /// The names of cases that the finished model will be tested on: nothing of them may be learned, not through images
    /// without labels nor through teachers.
    public var heldOutCases: [String] = []
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
        try checkKindOfTask()
        let source = try weightsToTake()
        let plan = try plan(startingFrom: source)
        // What is wrong with plan, weights or cases comes to light before the folder is touched.
        let base = try UNet(NetworkPlan(plan, deepSupervision: recipe.loss.deepSupervision), on: cpu)
        guard !recipe.training.recomputes || !base.normalizesBatches else {
            throw FinetuneError.recomputedBatchNorms
        }
        recipe.plan.initializer.initialize(base, seed: recipe.seed)
        var report = try source.map { try transferred($0, to: base, plan: plan) }
        let adaptation = try Adaptation(
            isPretrained ? recipe.adapters : .none, of: base, pretrained: report.map { $0.taken + $0.replicated } ?? [],
            seed: recipe.seed, on: cpu)
        let network = adaptation.network
        if dataset.classOfCase != nil {
            if let remark = adaptation.remark { report = (report ?? TransferReport()).adding([remark]) }
            return try trainClassifier(
                network, plan: plan, report: report, start, interruption: interruption, progress: &progress, tell)
        }
        let inMemory = try casesInMemory(plan)
        let unlabeled = try recipe.teacher == .none ? [] : unlabeledCases()
        try checkTeacher(for: plan, unlabeled: unlabeled)
        try checkRegion()
        var adapted = plan
        adapted.network.adapterReduction = network.plan.adapterReduction
        var card = SegmentationModelCard(
            plan: adapted, classes: dataset.classes, regions: dataset.regions, window: recipe.window(for: plan),
            postProcessing: recipe.postProcessing)
        (card.hierarchy, card.region) = (recipe.hierarchy, recipe.region.interest)
        let (directory, cases) = try ranks.firstThenOthers {
            (
                try begin(start, card: card, unlabeled: unlabeled),
                try seen(inMemory ?? casesInStore(plan, interruption))
            )
        }
        let lesson = try lesson(
            Array(cases.prefix(trainingCases.count)), unlabeled: unlabeled, plan: plan, network: network)
        let remarks = [adaptation.remark].compactMap(\.self) + lesson.remarks
        if !remarks.isEmpty { report = (report ?? TransferReport()).adding(remarks) }
        try record(report, tell)
        let task = try task(
            network, plan: plan, lesson: lesson, validation: cases.dropFirst(trainingCases.count).map(\.validated))
        try train(task, network, in: directory, interruption: interruption, progress: &progress)
        return SegmentationModel(path: folder, card: card, network: task.trained)
    }

    /// Takes the run's folder, and writes what the run is made of.
    func begin(_ start: Start, card: SegmentationModelCard, unlabeled: [DatasetCase]) throws -> RunDirectory {
        guard ranks.isFirst else { return RunDirectory.follow(folder, recipe: resolvedRecipe) }
        let directory = try runDirectory(start)
        try setup(unlabeled: unlabeled).record(inRun: folder)
        try card.write(toRun: folder)
        return directory
    }

    /// Writes and tells what became of the pre-trained weights.
    func record(_ report: TransferReport?, _ tell: (TransferReport) -> Void) throws {
        guard ranks.isFirst, let report else { return }
        try AtomicFile.write(try JSONEncoder().encode(report), to: "\(folder)/transfer.json")
        tell(report)
    }

    /// All steps of a task, at the recipe's rates.
    func train(
        _ task: some TrainingTask, _ network: UNet, in directory: RunDirectory, interruption: Interruption,
        progress: inout Training.Progress
    ) throws {
        var training = recipe.training(isPretrained: isPretrained)
        if isPretrained, let decay = recipe.layerDecay {
            training.schedule = training.schedule.decayed(by: decay, along: network)
        }
        var loop = try TrainingLoop(task, recipe: training, in: directory, ranks: ranks)
        try loop.train(interruption: interruption, progress: &progress)
    }

    /// What the run is made of besides its recipe.
    private func setup(unlabeled: [DatasetCase]) throws -> FinetuneSetup {
        FinetuneSetup(
            dataset: dataset.path, trainingCases: trainingCases, validationCases: validationCases, weights: weights,
            weightsDigest: try weightsFile.map(ContentDigest.ofFile),
            unlabeled: unlabeled.isEmpty ? nil : unlabeled.map(\.name), teachers: try teacherDigests())
    }

    /// Makes sure that the pre-trained weights, if there are any, fit the network: before hours are spent on other runs.
    /// - Throws: errors of the file, and of tensors that are missing or have another shape.
    public func checkWeights() throws {
        guard let source = try weightsToTake() else { return }
        let plan = try plan(startingFrom: source)
        _ = try transferred(
            source, to: UNet(NetworkPlan(plan, deepSupervision: recipe.loss.deepSupervision), on: cpu), plan: plan)
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

    /// The pre-trained weights; nil if there are none or the recipe wants none.
    private func weightsToTake() throws -> WeightsFile? {
        try isPretrained ? weightsFile.map(WeightsFile.read) : nil
    }

    /// Gives the network the pre-trained weights.
    private func transferred(_ file: WeightsFile, to network: UNet, plan: Plan) throws -> TransferReport {
        if let theirs = file.planAsUNet, !theirs.hasKindOfEncoder(of: network.plan) {
            throw FinetuneError.otherEncoder(
                weights: file.path, theirs: theirs.encoderTitle, network: network.plan.encoderTitle)
        }
        let source = try file.asUNet()
        var report = try Transfer(recipe.transfer)(
            source.weights, to: network.namedParameters, buffers: network.namedBuffers)
        report.skipped += source.skipped.map { .init(name: $0.name, reason: $0.reason) }
        report.reshaped = source.reshaped
        report.remarks = file.cardAsUNet.map { $0.remarks(on: plan) } ?? []
        return report
    }

    /// The task of a lesson.
    private func task(
        _ network: UNet, plan: Plan, lesson: Lesson, validation: [LabeledCase]
    ) throws -> SegmentationTask {
        var window = recipe.window(for: plan)
        window.mirroredAxes = []
        var batches = try SegmentationBatches(
            of: lesson.cases, cutter: recipe.cutter(for: plan), batchSize: plan.batch, seed: recipe.seed)
        batches.carveMix = recipe.carveMix
        (batches.companions, batches.looksTwice) = (lesson.companions, lesson.looksTwice)
        var loss = try loss(plan, of: lesson.cases)
        if ranks.count > 1, recipe.training.microBatch == nil {
            let division = try BatchDivision(samples: plan.batch, rank: ranks.rank, ranks: ranks.count)
            loss = loss.pooled(BatchPool(ranks, share: division.weight(of: division.parts[0]))) ?? loss
        }
        var task = SegmentationTask(
            network, plan: plan, batches: batches, loss: loss, steps: schedule.steps,
            validation: ValidationCases(validation, window: window, dataset: dataset),
            recomputes: recipe.training.recomputes, on: cpu)
        task.guidance = lesson.guidance
        return task
    }

    /// The recipe's loss for the dataset.
    private func loss(_ plan: Plan, of cases: [LabeledCase]) throws -> any SegmentationLoss {
        let classes = dataset.classes.count
        var ignored = dataset.ignoreLabel.map(Int32.init)
        if case .pseudoLabels = recipe.teacher { ignored = Int32(unsureLabel) }
        return try recipe.loss.loss(
            for: LossSetting(
                classes: classes,
                regions: dataset.regions.map { Regions($0.map { $0.labels.map(Int32.init) }) },
                ignoredLabel: ignored, batchDice: plan.batchDice,
                spacingMM: plan.spacingMM.map { $0 ?? 1 }
            ) { try cases.map { try $0.voxelCounts(labels: classes) } })
    }
}
