import Evaluation
import Foundation
import Networks
import Segmentation
import Tensors
import Training
import Volumes
import WeightFiles

extension FinetuneRecipe {
    /// Whether whole images are classified; else voxels are.
    public var classifies: Bool { plan.head == .classification }

    /// The dataset in a folder, with the classes of cases or the labels of voxels, as this recipe needs them.
    /// - Throws: ``DatasetError``.
    public func dataset(at path: String) throws -> NNUNetDataset {
        classifies ? try NNUNetDataset(classifying: path) : try NNUNetDataset(path: path)
    }
}

extension FinetuneRun {
    /// Makes sure that recipe and dataset are for the same kind of task, and that a classification asks for nothing that
    /// only labels of voxels can give.
    /// - Throws: ``FinetuneError``.
    func checkKindOfTask() throws {
        guard recipe.classifies == (dataset.classOfCase != nil) else {
            throw FinetuneError.otherKindOfTask(dataset: dataset.name, classifies: recipe.classifies)
        }
        guard recipe.classifies else { return }
        for (key, use, isFit) in [
            (
                "loss.kind=\(recipe.loss.kind.rawValue)", "loss.kind=ce or focal",
                [.crossEntropy, .focal].contains(recipe.loss.kind)
            ),
            ("a teacher", "teacher.kind=none", recipe.teacher == .none),
            ("patches.carve_mix", "patches.carve_mix=0", recipe.carveMix == nil),
            ("region.margin_mm", "region.margin_mm=none", recipe.region.interest == nil),
        ] where !isFit {
            throw FinetuneError.needsVoxelLabels(key: key, use: use)
        }
    }

    /// Trains a network to tell the classes of images.
    /// - Parameter report: what became of pre-trained weights, told once the run's folder is taken.
    func trainClassifier(
        _ network: UNet, plan: Plan, report: TransferReport?, _ start: Start, interruption: Interruption,
        progress: inout Training.Progress, _ tell: (TransferReport) -> Void
    ) throws -> SegmentationModel {
        let cutter = recipe.cutter(for: plan)
        // Augmentation looks around the patch; validation does not.
        let training = try classifiedCases(trainingCases, keeping: cutter.sampling.box, plan: plan)
        let validation = try classifiedCases(
            Array(shownCases.dropFirst(trainingCases.count)), keeping: plan.patch, plan: plan)
        var adapted = plan
        adapted.network.adapterReduction = network.plan.adapterReduction
        let card = SegmentationModelCard(plan: adapted, classes: dataset.classes, window: recipe.window(for: plan))
        let directory = try ranks.firstThenOthers { try begin(start, card: card, unlabeled: []) }
        try record(report, tell)
        let classes = dataset.classes.count
        let loss = try recipe.loss.loss(
            for: LossSetting(classes: classes) {
                training.map { item in (0..<classes).map { $0 == item.label ? 1 : 0 } }
            })
        let task = ClassificationTask(
            network, plan: plan,
            batches: try ClassificationBatches(of: training, cutter: cutter, batchSize: plan.batch, seed: recipe.seed),
            loss: loss, validation: validation, recomputes: recipe.training.recomputes, on: cpu)
        try train(task, network, in: directory, interruption: interruption, progress: &progress)
        return SegmentationModel(path: folder, card: card, network: task.trained)
    }

    private func classifiedCases(_ names: [String], keeping extent: Extent3, plan: Plan) throws -> [ClassifiedCase] {
        try names.map { name in
            try ClassifiedCase(
                dataset.labeledCase(name), label: dataset.classOfCase?[name] ?? 0, keeping: extent, plan: plan, on: cpu)
        }
    }

    /// Classifies images whose classes are known.
    ///
    /// Writes `predictions/classes.csv` and `summary.json`.
    /// - Parameter progress: called after each image; what it throws ends the evaluation.
    /// - Throws: errors of data and files, `FolderInUse`, and what `progress` throws.
    public func classify(
        _ model: SegmentationModel, _ names: [String],
        progress: (_ done: Int, _ all: Int, _ name: String) throws -> Void = { _, _, _ in }
    ) throws -> ClassificationScores {
        let lock = try FolderLock(folder)
        defer { withExtendedLifetime(lock) {} }
        let classifier = try Classifier([model], on: cpu)
        var images: [ClassifiedImage] = []
        for name in names {
            let image = try dataset.readImage(try dataset.labeledCase(name))
            images.append(
                ClassifiedImage(
                    name: name, reference: dataset.classOfCase?[name],
                    probabilities: try classifier.probabilities(of: image)))
            try progress(images.count, names.count, name)
        }
        let predictions = "\(folder)/predictions"
        do {
            try FileManager.default.createDirectory(atPath: predictions, withIntermediateDirectories: true)
        } catch {
            throw FileError("create", predictions, error)
        }
        try ClassTable(classes: classifier.classes, images: images).write(to: "\(predictions)/\(ClassTable.fileName)")
        let scores = ClassificationScores(classes: classifier.classes, images: images)
        try AtomicFile.write(try scores.encoded(), to: "\(folder)/summary.json")
        return scores
    }
}
