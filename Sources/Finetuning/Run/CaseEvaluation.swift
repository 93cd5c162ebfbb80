import Evaluation
import Foundation
import Segmentation
import Tensors
import Volumes
import WeightFiles

/// Predicts labeled cases of a dataset on their own grids and compares with their labels.
///
/// Writes `predictions/NAME.nii.gz` and, when all are done, `summary.json`, whose paths are relative to the folder and to the
/// dataset's. How sure the network is (``ConfidenceProfile``) is counted case by case: probabilities are kept nowhere.
public struct CaseEvaluation {
    private let dataset: NNUNetDataset
    private let folder: String
    private let cpu: CPU
    /// Points the networks at the part of an image that they are to look at; by default at all of it.
    public var pointing: (Ensemble, Volume, _ labels: LabelVolume) throws -> Ensemble = { ensemble, _, _ in ensemble }

    /// An evaluation that writes into `folder`, which must exist.
    public init(of dataset: NNUNetDataset, in folder: String, on cpu: CPU) {
        (self.dataset, self.folder, self.cpu) = (dataset, folder, cpu)
    }

    /// Predicts and scores.
    /// - Parameters:
    ///   - names: the cases.
    ///   - progress: called after each case; what it throws ends the evaluation, predictions so far stay.
    /// - Returns: the scores, one structure for each foreground class, cases in the order of `names`.
    /// - Throws: errors of data and files, and what `progress` throws.
    public func callAsFunction(
        _ model: SegmentationModel, cases names: [String],
        progress: (_ done: Int, _ all: Int, _ name: String) throws -> Void = { _, _, _ in }
    ) throws -> DatasetScores {
        let ensemble = try Ensemble([model], on: cpu)
        let predictions = "\(folder)/predictions"
        do {
            try FileManager.default.createDirectory(atPath: predictions, withIntermediateDirectories: true)
        } catch {
            throw FileError("create", predictions, error)
        }
        AtomicFile.removeTemporaries(in: predictions)
        var scored: [CaseScores] = []
        for name in names {
            scored.append(try scores(of: name, by: ensemble, writingTo: predictions))
            try progress(scored.count, names.count, name)
        }
        let scores = DatasetScores(structures: dataset.structures, cases: scored)
        try AtomicFile.write(try SummaryFile(scores).encoded(), to: "\(folder)/summary.json")
        return scores
    }

    private func scores(of name: String, by ensemble: Ensemble, writingTo predictions: String) throws -> CaseScores {
        let files = try dataset.labeledCase(name)
        let image = try dataset.readImage(files)
        guard let reference = try dataset.readLabels(files, on: image.geometry) else {
            throw SegmentationError.unlabeled(case: name)
        }
        let prediction = try pointing(ensemble, image, reference).segmentWithConfidence(image)
        try NIfTIFile.write(prediction.labels, to: "\(predictions)/\(name).nii.gz")
        let ignored = dataset.ignoreLabel.map(Int.init)
        let table = ConfusionTable(
            prediction: prediction.labels.labels, reference: reference.labels, ignoredLabel: ignored)
        return CaseScores(
            name: name, predictionFile: "predictions/\(name).nii.gz",
            referenceFile: files.labelPath.map { "labelsTr/\(($0 as NSString).lastPathComponent)" } ?? "",
            structures: dataset.structures.map {
                StructureScores(overlap: table.overlap(of: $0), voxelVolumeMM3: reference.geometry.voxelVolumeMM3)
            },
            confidence: ConfidenceProfile(
                decided: prediction.decided, confidence: prediction.confidence.probability,
                uncertainty: prediction.confidence.uncertainty, reference: reference.labels,
                geometry: reference.geometry, structures: dataset.structures, ignoredLabel: ignored, on: cpu))
    }
}
