import Evaluation
import Finetuning
import Foundation
import Segmentation
import Tensors
import Training
import Volumes
import WeightFiles

/// Runs the cells of a comparison: fine-tunes, predicts the test cases and scores them.
///
/// A cell that was interrupted goes on from its last checkpoint. The checkpoint of a finished cell is removed: its
/// weights and predictions stay.
public struct FinetuningRunner: CellRunner {
    /// The labeled cases.
    public var dataset: NNUNetDataset
    /// The datasets to test on beside it, by the names of their targets.
    public var others: [String: NNUNetDataset] = [:]
    /// Asks to stop: the cell at hand saves its state.
    public var interruption: Interruption
    /// Makes the progress of a cell's training.
    public var progress: @Sendable (_ cell: Cell, _ steps: Int) -> Training.Progress
    private let cpu: CPU

    /// A runner for a dataset.
    public init(
        _ dataset: NNUNetDataset, interruption: Interruption = Interruption(),
        progress: @escaping @Sendable (_ cell: Cell, _ steps: Int) -> Training.Progress = { _, _ in .silent },
        on cpu: CPU
    ) {
        (self.dataset, self.interruption, self.progress, self.cpu) = (dataset, interruption, progress, cpu)
    }

    /// Trains, predicts and scores one cell.
    /// - Throws: `TrainingInterrupted` after an interruption that saved its state; errors of data, recipe and files.
    public func run(_ cell: Cell, in folder: String) throws -> CellOutcome {
        let run = try finetuning(of: cell, in: folder)
        let steps = run.schedule.steps
        var progress = progress(cell, steps)
        let model = try run.train(.either, interruption: interruption, progress: &progress)
        let start = ContinuousClock.now
        let scores = try scores(of: model, by: run, on: cell.testCases) { _, _, _ in
            if interruption.isRequested { throw TrainingInterrupted(steps: steps, path: folder) }
        }
        let seconds = try trainingSeconds(run, interval: run.recipe.training.logInterval)
        return CellOutcome(
            cases: scores, steps: steps, seconds: seconds + (ContinuousClock.now - start) / .seconds(1))
    }

    /// Predicts and scores all labeled cases of another dataset with the cell's network.
    /// - Throws: `TrainingInterrupted` after an interruption; errors of data and files.
    public func test(_ cell: Cell, on target: TransferTarget, in folder: String) throws -> CellOutcome {
        guard let other = others[target.name] else { throw ComparisonError.nothing("dataset called \(target.name)") }
        let start = ContinuousClock.now
        let run = try finetuning(of: cell, in: folder)
        let model = try SegmentationModel(ofRun: run.folder, on: cpu)
        let place = CellStore.transferFolder(target, in: folder)
        try CellStore.createFolder(place)
        var evaluation = CaseEvaluation(of: other, in: place, on: cpu)
        evaluation.pointing = try run.pointing()
        let scores = try evaluation(model, cases: target.cases) { _, _, _ in
            if interruption.isRequested { throw TrainingInterrupted(steps: run.schedule.steps, path: folder) }
        }
        return CellOutcome(
            cases: scores.cases.map(CaseDice.init), steps: run.schedule.steps,
            seconds: (ContinuousClock.now - start) / .seconds(1))
    }

    /// The Dice of each structure; of whole images 1 or 0 for the class that each has, so that the mean over classes is the
    /// balanced accuracy.
    private func scores(
        of model: SegmentationModel, by run: FinetuneRun, on cases: [String],
        progress: (_ done: Int, _ all: Int, _ name: String) throws -> Void
    ) throws -> [CaseDice] {
        guard run.recipe.classifies else {
            return try run.evaluate(model, on: cases, progress: progress).cases.map(CaseDice.init)
        }
        return try run.classify(model, cases, progress: progress).images.map { image in
            CaseDice(
                name: image.name,
                dice: image.probabilities.indices.map { index in
                    index != image.reference ? .nan : image.predicted == index ? 1 : 0
                })
        }
    }

    /// Removes the checkpoint.
    public func cleanUp(_ folder: String) {
        // What cannot be removed now is removed when the comparison goes on.
        try? AtomicDirectory.removeWhole("\(folder)/run/checkpoint")
    }

    /// Makes sure that all weights can be used, before hours are spent on the first cell.
    /// - Throws: ``ComparisonError/unusedWeights(_:)``, ``ComparisonError/regionsOfLabels(_:)``, and what is wrong with a file.
    public func check(_ comparison: Comparison) throws {
        for cell in comparison.cells {
            let run = try finetuning(of: cell, in: "")
            guard !run.looksAroundLabels else { throw ComparisonError.regionsOfLabels(cell.key.initialization) }
            try run.checkRegion()
        }
        for initialization in comparison.initializations where initialization.weights != nil {
            guard let cell = comparison.cells.first(where: { $0.key.initialization == initialization.name }) else {
                continue
            }
            let run = try finetuning(of: cell, in: "")
            guard run.isPretrained else { throw ComparisonError.unusedWeights(initialization.name) }
            try run.checkWeights()
        }
    }

    /// Validation cases would be labeled cases beyond the training set: a comparison of low-data training has none.
    private func finetuning(of cell: Cell, in folder: String) throws -> FinetuneRun {
        var run = FinetuneRun(
            dataset: dataset, trainingCases: cell.trainingCases, weights: cell.initialization.weights,
            recipe: try ComparisonRecipe.finetuning(cell.recipe, seed: cell.key.seed), folder: "\(folder)/run", on: cpu)
        run.heldOutCases = cell.testCases
        return run
    }

    /// The time of all steps, whatever interruptions lay between them.
    private func trainingSeconds(_ run: FinetuneRun, interval: Int) throws -> Double {
        let log = try RunLog.read("\(run.folder)/log.jsonl")
        return log.compactMap(\.seconds).reduce(0, +) * Double(interval)
    }
}
