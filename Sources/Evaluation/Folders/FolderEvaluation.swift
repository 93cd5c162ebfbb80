import Foundation
import Synchronization
import Tensors
import Volumes

/// Compares a folder of predicted label maps with a folder of references, case by case.
///
/// Files belong together by name: `NAME.nii.gz` or `NAME.nii` in both folders.
public struct FolderEvaluation: Sendable {
    /// The folder of predicted label maps.
    public var predictions: String
    /// The folder of reference label maps.
    public var references: String
    /// What to evaluate; nil for every label except 0 that occurs in a reference or prediction.
    public var structures: [Structure]?
    /// Regions to evaluate beside ``structures``; they enter no foreground mean.
    public var regions: [Structure] = []
    /// Labels that predictions and references may contain beside those of the structures; nil for any.
    public var knownLabels: Set<Int>?
    /// Voxels with this label in the reference are not counted.
    public var ignoredLabel: Int?
    /// What overlap scores are worth when both masks are empty.
    public var bothEmpty = BothEmpty.leftOut
    /// Which surface metrics are computed.
    public var surface = SurfaceSelection()
    /// Leave out references without prediction, instead of an error.
    public var onlyPredicted = false

    /// The comparison of two folders.
    public init(predictions: String, references: String) {
        (self.predictions, self.references) = (predictions, references)
    }

    /// Reads and compares all cases, several at a time.
    /// - Parameter finished: called after each case with the number done and the number of all, from any thread.
    /// - Throws: ``EvaluationError``, or the error of a file that cannot be read.
    public func evaluate(
        on cpu: CPU, finished: @Sendable (_ done: Int, _ all: Int) -> Void = { _, _ in }
    ) throws -> DatasetScores {
        let pairs = try pairs()
        let measured = Mutex<[Int: Result<Measured, any Error>]>([:])
        cpu.forEach(pairs.count) { index in
            let result = Result { try measure(pairs[index], on: cpu) }
            finished(
                measured.withLock {
                    $0[index] = result
                    return $0.count
                }, pairs.count)
        }
        let results = measured.withLock { $0 }
        // In order of the names, so that the same error is reported whichever case was read first.
        let cases = try pairs.indices.map { try results[$0]!.get() }
        let structures = (structures ?? Self.structures(in: cases.map(\.table))) + regions
        return DatasetScores(
            structures: structures, regions: regions.count, surface: surface,
            cases: zip(pairs, cases).map { pair, measured in
                CaseScores(
                    name: pair.name, predictionFile: pair.prediction.lastComponent,
                    referenceFile: pair.reference.lastComponent,
                    diagonalMM: measured.geometry.diagonalMM,
                    structures: structures.map { scores(of: $0, in: measured) })
            })
    }

    /// A structure that was not measured in a case is nowhere in it.
    private func scores(of structure: Structure, in measured: Measured) -> StructureScores {
        measured.scores[structure]
            ?? StructureScores(
                overlap: measured.table.overlap(of: structure), voxelVolumeMM3: measured.geometry.voxelVolumeMM3,
                bothEmpty: bothEmpty)
    }

    private struct Pair {
        var name, prediction, reference: String
    }

    private struct Measured {
        var table: ConfusionTable
        var geometry: Geometry
        /// Of the structures that were asked for, or else of the labels that occur in the case.
        var scores: [Structure: StructureScores]
    }

    private func pairs() throws -> [Pair] {
        let referenceFiles = try LabelFolder(references).files
        guard !referenceFiles.isEmpty else { throw EvaluationError.noReferences(folder: references) }
        let predictionFiles = try LabelFolder(predictions).files
        let missing = referenceFiles.keys.filter { predictionFiles[$0] == nil }.sorted()
        if missing.count == referenceFiles.count || !missing.isEmpty && !onlyPredicted {
            throw EvaluationError.missingPredictions(names: missing, folder: predictions)
        }
        return referenceFiles.sorted { $0.key < $1.key }.compactMap { name, reference in
            predictionFiles[name].map { Pair(name: name, prediction: $0, reference: reference) }
        }
    }

    private func measure(_ pair: Pair, on cpu: CPU) throws -> Measured {
        let reference = try NIfTIFile.readLabels(pair.reference)
        let prediction = try NIfTIFile.readLabels(pair.prediction)
        try requireSameGrid(prediction.geometry, reference.geometry, pair)
        let table = ConfusionTable(
            prediction: prediction.labels, reference: reference.labels, ignoredLabel: ignoredLabel, on: cpu)
        if let knownLabels {
            let known = knownLabels.union([ignoredLabel].compactMap(\.self))
            for (file, labels) in [(pair.reference, table.referenceLabels), (pair.prediction, table.predictedLabels)] {
                let unknown = labels.subtracting(known).sorted()
                guard unknown.isEmpty else {
                    throw EvaluationError.unknownLabels(file: file, labels: unknown, known: known.sorted())
                }
            }
        }
        var measurement = CaseMeasurement(
            (structures ?? Self.structures(in: [table])) + regions, ignoredLabel: ignoredLabel)
        (measurement.bothEmpty, measurement.surface) = (bothEmpty, surface)
        let scores = measurement.scores(
            prediction: prediction.labels, reference: reference.labels, geometry: reference.geometry, table: table,
            on: cpu)
        return Measured(
            table: table, geometry: reference.geometry,
            scores: Dictionary(zip(measurement.structures, scores)) { first, _ in first })
    }

    private func requireSameGrid(_ prediction: Geometry, _ reference: Geometry, _ pair: Pair) throws {
        guard !prediction.matches(reference) else { return }
        let distance = prediction.affine.largestDistanceMM(to: reference.affine, over: reference.extent)
        throw EvaluationError.differentGrids(
            prediction: pair.prediction, reference: pair.reference,
            difference: prediction.extent != reference.extent
                ? "\(prediction.extent) voxels instead of \(reference.extent)"
                : "corners lie up to \(String(format: "%.3g", distance)) mm apart")
    }

    private static func structures(in tables: [ConfusionTable]) -> [Structure] {
        tables.reduce(into: Set<Int>()) { $0.formUnion($1.referenceLabels.union($1.predictedLabels)) }
            .subtracting([0]).sorted().map { Structure(label: $0) }
    }
}

extension String {
    /// The file's name without its folder.
    fileprivate var lastComponent: String { (self as NSString).lastPathComponent }
}
