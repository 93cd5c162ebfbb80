import Evaluation
import Foundation
import Segmentation
import Tensors
import Volumes
import WeightFiles

extension FinetuneRun {
    /// Predicts labeled cases on their own grids and compares with their labels. A model that looks at regions is shown those
    /// that the recipe's coarse run finds; without one, those around the labels, which no new image has.
    ///
    /// Writes `predictions/NAME.nii.gz` and, when all are done, `summary.json`, whose paths are relative to the run's folder
    /// and the dataset's.
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
        let predict = try scoredPrediction(of: model)
        let structures = dataset.structures
        let predictions = "\(folder)/predictions"
        do {
            try FileManager.default.createDirectory(atPath: predictions, withIntermediateDirectories: true)
        } catch {
            throw FileError("create", predictions, error)
        }
        AtomicFile.removeTemporaries(in: predictions)
        var scored: [CaseScores] = []
        for name in names {
            let files = try dataset.labeledCase(name)
            let image = try dataset.readImage(files)
            guard let reference = try dataset.readLabels(files, on: image.geometry) else {
                throw SegmentationError.unlabeled(case: name)
            }
            let prediction = try predict(image, reference)
            let file = "\(predictions)/\(name).nii.gz"
            try NIfTIFile.write(prediction, to: file)
            let table = ConfusionTable(
                prediction: prediction.labels, reference: reference.labels,
                ignoredLabel: dataset.ignoreLabel.map(Int.init))
            scored.append(
                CaseScores(
                    name: name, predictionFile: "predictions/\(name).nii.gz",
                    referenceFile: files.labelPath.map { "labelsTr/\(($0 as NSString).lastPathComponent)" } ?? "",
                    structures: structures.map {
                        StructureScores(
                            overlap: table.overlap(of: $0), voxelVolumeMM3: reference.geometry.voxelVolumeMM3)
                    }))
            try progress(scored.count, names.count, name)
        }
        let scores = DatasetScores(structures: structures, cases: scored)
        try AtomicFile.write(try SummaryFile(scores).encoded(), to: "\(folder)/summary.json")
        return scores
    }
}
