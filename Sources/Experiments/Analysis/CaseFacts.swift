import Evaluation
import Foundation
import Tensors
import Volumes
import WeightFiles

/// What is known of one class in one test case of a finished cell.
public struct ClassFacts: Sendable, Hashable, Codable {
    /// The reference's volume.
    public var referenceMM3: Double
    /// The prediction's volume.
    public var predictedMM3: Double
    /// nil where neither mask has the class.
    public var dice: Double?
    /// The 95th percentile of surface distances; the image's diagonal where one mask lacks the class.
    public var hausdorff95MM: Double?
    /// The average symmetric surface distance; the image's diagonal where one mask lacks the class.
    public var averageMM: Double?
    /// The surface Dice at ``CellFacts/tolerancesMM``.
    public var surfaceDice: [Double]?
    /// Whether only one of the masks has the class.
    public var isMissed: Bool
    /// The kind of errors.
    public var errors: ErrorProfile?
}

/// One test case of a finished cell.
public struct CaseFacts: Sendable, Hashable, Codable {
    /// The case.
    public var name: String
    /// In the order of the comparison's classes.
    public var classes: [ClassFacts]

    /// The mean Dice over classes; NaN without any.
    var dice: Double { Scores(classes.compactMap(\.dice)).mean }
}

/// Everything that the predictions of a finished cell say, measured once and kept beside them as `facts.json`.
public struct CellFacts: Sendable, Hashable, Sealed {
    /// Rises when the meaning of a number changes: older files are measured again.
    public static let version = 1
    /// Tolerances of the surface Dice.
    public static let tolerancesMM = [1.0, 2]

    /// See ``version-swift.type.property``.
    public var version = Self.version
    /// The test cases, in the order of the predictions' names.
    public var cases: [CaseFacts]
    /// Voxels by reference class and predicted class, all cases together; background is 0, then the comparison's classes.
    public var confusion: [[Int]]
    /// Protects the file; 0 in memory.
    public var checksum: UInt32 = 0

    /// Measures predictions against references.
    /// - Parameters:
    ///   - folder: `NAME.nii.gz` of each of `cases`.
    ///   - classes: labels of the comparison's classes, in their order.
    /// - Throws: errors of files.
    init(predictions folder: String, cases names: [String], dataset: NNUNetDataset, on cpu: CPU) throws {
        let classes = dataset.classes.filter { $0.label != 0 }
        let files = Dictionary(uniqueKeysWithValues: dataset.trainingCases.map { ($0.name, $0.labelPath) })
        var measurement = CaseMeasurement(
            classes.map { Structure(label: Int($0.label), name: $0.name) },
            ignoredLabel: dataset.ignoreLabel.map(Int.init))
        measurement.surface = SurfaceSelection(tolerancesMM: Self.tolerancesMM)
        let places = [0] + classes.map { Int($0.label) }
        var confusion = [[Int]](repeating: Array(repeating: 0, count: places.count), count: places.count)
        cases = try names.map { name in
            guard let path = files[name] ?? nil else { throw ComparisonError.unknownCase(name) }
            let reference = try NIfTIFile.readLabels(path)
            let prediction = try NIfTIFile.readLabels("\(folder)/\(name).nii.gz")
            guard prediction.extent == reference.extent else {
                throw EvaluationError.differentGrids(
                    prediction: "\(folder)/\(name).nii.gz", reference: path,
                    difference: "\(prediction.extent) voxels instead of \(reference.extent)")
            }
            let table = ConfusionTable(
                prediction: prediction.labels, reference: reference.labels, ignoredLabel: measurement.ignoredLabel,
                on: cpu)
            for (pair, count) in table.counts {
                if let row = places.firstIndex(of: pair.reference), let column = places.firstIndex(of: pair.prediction)
                {
                    confusion[row][column] += count
                }
            }
            let scores = measurement.scores(
                prediction: prediction.labels, reference: reference.labels, geometry: reference.geometry, table: table,
                on: cpu)
            let errors = measurement.errorProfiles(
                prediction: prediction.labels, reference: reference.labels, extent: reference.extent, on: cpu)
            return CaseFacts(
                name: name,
                classes: zip(scores, errors).map {
                    ClassFacts($0, errors: $1, diagonalMM: reference.geometry.diagonalMM)
                })
        }
        self.confusion = confusion
    }
}

extension ClassFacts {
    fileprivate init(_ scores: StructureScores, errors: ErrorProfile?, diagonalMM: Double) {
        func surface(_ quantity: SurfaceMetric.Quantity) -> Double? {
            let value = scores[.surface(SurfaceMetric(quantity, of: .elements))]
            return value.isNaN ? nil : min(value, diagonalMM)
        }
        referenceMM3 = scores[.referenceVolumeMM3]
        predictedMM3 = scores[.predictedVolumeMM3]
        dice = scores[.dice].isNaN ? nil : scores[.dice]
        hausdorff95MM = surface(.hausdorff95)
        averageMM = surface(.average)
        let agreement = CellFacts.tolerancesMM.compactMap { surface(.surfaceDice(toleranceMM: $0)) }
        surfaceDice = agreement.isEmpty ? nil : agreement
        isMissed = (scores.overlap.predicted == 0) != (scores.overlap.referenced == 0)
        self.errors = errors
    }
}
