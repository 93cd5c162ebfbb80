import Evaluation
import Segmentation
import WeightFiles

extension FinetuneRun {
    /// Predicts labeled cases on their own grids and compares with their labels: ``CaseEvaluation`` in the run's folder. A model
    /// that looks at regions is shown those that the recipe's coarse run finds; without one, those around the labels, which no
    /// new image has.
    /// - Parameters:
    ///   - names: cases that were not trained on.
    ///   - progress: called after each case; what it throws ends the evaluation, predictions so far stay.
    /// - Returns: the scores, one structure for each foreground class, cases in the order of `names`.
    /// - Throws: errors of data and files, `FolderInUse`, and what `progress` throws.
    public func evaluate(
        _ model: SegmentationModel, on names: [String],
        progress: (_ done: Int, _ all: Int, _ name: String) throws -> Void = { _, _, _ in }
    ) throws -> DatasetScores {
        // Training has let go of the folder.
        let lock = try FolderLock(folder)
        defer { withExtendedLifetime(lock) {} }
        var evaluation = CaseEvaluation(of: dataset, in: folder, on: cpu)
        evaluation.pointing = try pointing()
        return try evaluation(model, cases: names, progress: progress)
    }
}
