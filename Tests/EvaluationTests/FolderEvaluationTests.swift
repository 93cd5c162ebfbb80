import Evaluation
import Foundation
import Tensors
import Testing
import Volumes

/// A folder for predictions and one for references, removed with the value.
private final class Folders {
    let root = FileManager.default.temporaryDirectory.appending(path: "evaluation-\(UUID().uuidString)").path
    var predictions: String { "\(root)/predictions" }
    var references: String { "\(root)/references" }

    init() throws {
        for folder in [predictions, references] {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    /// Writes the six voxels of a 1 x 2 x 3 label map.
    func write(
        _ labels: [Int16], to folder: String, _ name: String, extent: Extent3 = Extent3(depth: 1, height: 2, width: 3),
        spacingMM: [Double] = [2, 1, 0.5]
    ) throws {
        let volume = LabelVolume(labels: labels, geometry: Geometry(extent: extent, spacingMM: spacingMM))
        try NIfTIFile.write(volume, to: "\(folder)/\(name)")
    }

    var evaluation: FolderEvaluation { FolderEvaluation(predictions: predictions, references: references) }
}

@Suite("Evaluation of folders")
struct FolderEvaluationTests {
    private let folders: Folders
    private let cpu = CPU(threads: 2)

    init() throws {
        folders = try Folders()
        try folders.write([0, 1, 1, 2, 2, 0], to: folders.references, "a.nii.gz")
        try folders.write([0, 1, 0, 0, 0, 0], to: folders.references, "b.nii.gz")
        try folders.write([0, 1, 1, 2, 0, 0], to: folders.predictions, "a.nii.gz")
        try folders.write([0, 0, 0, 0, 0, 0], to: folders.predictions, "b.nii")
    }

    @Test("pairs files by case and finds the labels")
    func scores() throws {
        let scores = try folders.evaluation.evaluate(on: cpu)
        #expect(scores.structures == [Structure(label: 1), Structure(label: 2)])
        #expect(scores.cases.map(\.name) == ["a", "b"])
        #expect(scores.scores(.dice, ofStructure: 0).values == [1, 0])
        #expect(scores.scores(.dice, ofStructure: 1).values == [2.0 / 3])
        #expect(scores.scores(.dice, ofStructure: 1).leftOut == 1)
        #expect(abs(scores.foregroundMean(.dice) - (0.5 + 2.0 / 3) / 2) < 1e-15)
        #expect(scores.cases[0].structures[1][.referenceVolumeMM3] == 2)  // two voxels of 2 x 1 x 0.5 mm
    }

    @Test("is the same for any number of threads")
    func threads() throws {
        #expect(try folders.evaluation.evaluate(on: CPU(threads: 1)) == folders.evaluation.evaluate(on: cpu))
    }

    @Test("does not forgive a missing prediction unless told to")
    func missing() throws {
        try folders.write([0, 0, 0, 0, 0, 1], to: folders.references, "c.nii.gz")
        #expect(throws: EvaluationError.missingPredictions(names: ["c"], folder: folders.predictions)) {
            try folders.evaluation.evaluate(on: cpu)
        }
        var lenient = folders.evaluation
        lenient.onlyPredicted = true
        #expect(try lenient.evaluate(on: cpu).cases.map(\.name) == ["a", "b"])
    }

    @Test("names both files when grids differ")
    func grids() throws {
        try folders.write([0, 0, 0, 0, 0, 1], to: folders.references, "c.nii.gz")
        try folders.write([0, 0, 0, 0, 0, 1], to: folders.predictions, "c.nii.gz", spacingMM: [2, 1, 0.75])
        let error = #expect(throws: EvaluationError.self) { try folders.evaluation.evaluate(on: cpu) }
        #expect("\(try #require(error))".contains("corners lie up to 0.5 mm apart"))
        try folders.write([0, 1], to: folders.predictions, "c.nii.gz", extent: Extent3(depth: 1, height: 1, width: 2))
        let other = #expect(throws: EvaluationError.self) { try folders.evaluation.evaluate(on: cpu) }
        #expect("\(try #require(other))".contains("1x1x2 voxels instead of 1x2x3"))
    }

    @Test("refuses labels that the dataset does not have")
    func unknownLabels() throws {
        try folders.write([0, 1, 1, 7, 0, 0], to: folders.predictions, "a.nii.gz")
        var evaluation = folders.evaluation
        evaluation.knownLabels = [0, 1, 2]
        #expect(
            throws: EvaluationError.unknownLabels(
                file: "\(folders.predictions)/a.nii.gz", labels: [7], known: [0, 1, 2])
        ) { try evaluation.evaluate(on: cpu) }
    }

    @Test("says which folder is missing, empty or ambiguous")
    func folderErrors() throws {
        var evaluation = folders.evaluation
        evaluation.references = "\(folders.root)/nowhere"
        let missing = #expect(throws: EvaluationError.self) { try evaluation.evaluate(on: cpu) }
        #expect(missing?.exitCode == ExitStatus.inputOutput)
        evaluation.references = folders.root
        #expect(throws: EvaluationError.noReferences(folder: folders.root)) { try evaluation.evaluate(on: cpu) }
        try folders.write([0, 0, 0, 0, 0, 0], to: folders.predictions, "b.nii.gz")
        #expect(throws: EvaluationError.self) { try folders.evaluation.evaluate(on: cpu) }
    }

    /// nnU-Net's layout of `summary.json`.
    private struct Summary: Decodable {
        struct Case: Decodable {
            var metrics: [String: [String: Double]]
            var prediction_file: String
            var reference_file: String
        }

        var foreground_mean: [String: Double]
        var mean: [String: [String: Double]]
        var metric_per_case: [Case]
    }

    @Test("writes nnU-Net's summary, NaN as the bare word")
    func summary() throws {
        let data = try SummaryFile(try folders.evaluation.evaluate(on: cpu)).encoded()
        #expect(String(decoding: data, as: UTF8.self).contains("\"Dice\" : NaN,"))
        // Python's json reads NaN; in Swift JSON5 does.
        let decoder = JSONDecoder()
        decoder.allowsJSON5 = true
        let summary = try decoder.decode(Summary.self, from: data)
        #expect(summary.mean["1"]?["Dice"] == 0.5)
        #expect(summary.mean["1"]?["FN"] == 0.5)
        let expected = (0.5 + 2.0 / 3) / 2
        #expect(abs(try #require(summary.foreground_mean["Dice"]) - expected) < 1e-15)
        #expect(summary.metric_per_case.count == 2)
        #expect(summary.metric_per_case[0].prediction_file == "a.nii.gz")
        #expect(summary.metric_per_case[0].reference_file == "a.nii.gz")
        let metrics = summary.metric_per_case[1].metrics
        #expect(metrics["2"]?["Dice"]?.isNaN == true)
        for key in ["Dice", "FN", "FP", "IoU", "TN", "TP", "n_pred", "n_ref"] {
            #expect(metrics["1"]?[key] != nil, "nnU-Net's key \(key)")
        }
    }
}
