import Evaluation
import Tensors
import Volumes
import WeightFiles

/// Operations of the oracle's sets that the room `Evaluation` answers.
enum EvaluationOps {
    static let operations: [String: OracleOperation] = ["metrics": metrics, "components": components]

    @Sendable
    private static func metrics(_ oracle: OracleCase) throws -> OracleResults {
        let cpu = CPU(threads: 2)
        let prediction = try oracle.input("prediction")
        let spacing = try oracle.params.doubles("spacing")
        let extent = Extent3(dimensions: prediction.shape)
        let tolerances = try oracle.params.array("tolerances")
        var measurement = CaseMeasurement([Structure(label: try oracle.params.int("label"))])
        measurement.surface = SurfaceSelection(
            definitions: SurfaceDefinition.allCases, tolerancesMM: tolerances.compactMap(\.number))
        let scores = measurement.scores(
            prediction: try prediction.integers().map { Int16($0) },
            reference: try oracle.input("reference").integers().map { Int16($0) },
            geometry: Geometry(extent: extent, spacingMM: spacing), on: cpu)[0]

        var values: [String: Double] = [
            "overlap.tp": scores[.truePositives], "overlap.fp": scores[.falsePositives],
            "overlap.fn": scores[.falseNegatives], "overlap.dice": scores[.dice], "overlap.iou": scores[.iou],
            "overlap.precision": scores[.precision], "overlap.recall": scores[.recall],
            "overlap.volume_prediction": scores[.predictedVolumeMM3],
            "overlap.volume_reference": scores[.referenceVolumeMM3],
            "overlap.relative_volume_error": scores[.relativeVolumeError],
        ]
        let bothEmpty = scores.overlap.predicted + scores.overlap.referenced == 0
        for metric in measurement.surface.metrics {
            var value = scores[.surface(metric)]
            // The package calls two empty masks infinitely far apart; here they say nothing.
            if bothEmpty, metric.definition == .elements, [.hausdorff, .hausdorff95].contains(metric.quantity) {
                value = value.isNaN ? .infinity : value
            }
            let isMissing = bothEmpty && metric.isSize
            for name in names(of: metric) { values["\(metric.definition.rawValue).\(name)"] = isMissing ? 0 : value }
        }
        return OracleResults(values: values.mapValues(JSON.init(number:)))
    }

    /// The oracle's names of a surface metric.
    private static func names(of metric: SurfaceMetric) -> [String] {
        let isElements = metric.definition == .elements
        return switch metric.quantity {
        case .hausdorff: ["hd"]
        case .hausdorff95: isElements ? ["hd95"] : ["hd95_worse_direction"]
        case .hausdorff95Pooled: ["hd95_pooled"]
        case .average: isElements ? ["assd"] : ["assd_pooled"]
        case .averageOfDirections: ["assd_mean_of_directions"]
        case .averageFromPrediction: ["asd_prediction_to_reference"]
        case .averageFromReference: ["asd_reference_to_prediction"]
        case .predictedSize: isElements ? ["area_prediction"] : ["surface_prediction"]
        case .referenceSize: isElements ? ["area_reference"] : ["surface_reference"]
        // Python writes a whole number as 1.0.
        case .surfaceDice(let toleranceMM): ["nsd@\(toleranceMM)"]
        }
    }

    @Sendable
    private static func components(_ oracle: OracleCase) throws -> OracleResults {
        let mask = try oracle.input("mask")
        guard let connectivity = Connectivity(rawValue: try oracle.params.int("connectivity")) else {
            throw VolumesOps.WrongVerdict(description: "unknown connectivity")
        }
        let components = ConnectedComponents(
            of: BinaryMask(
                extent: Extent3(dimensions: mask.shape), voxels: try mask.integers().map { UInt8(clamping: $0) }),
            connectivity: connectivity, on: CPU(threads: 2))
        func stored(_ mask: BinaryMask) -> StoredTensor {
            StoredTensor(mask.voxels.map { Int32($0) }, shape: mask.extent.dimensions)
        }
        return OracleResults(
            outputs: [
                "largest": stored(components.largest),
                "without_small": stored(
                    components.withoutSmall(minimumSize: try oracle.params.int("minimum_size"))),
                "sizes": StoredTensor(components.sizes.map { Int32($0) }, shape: [components.count]),
            ], values: ["count": JSON(number: Double(components.count))])
    }
}

extension SurfaceMetric {
    fileprivate var isSize: Bool { [.predictedSize, .referenceSize].contains(quantity) }
}

extension JSON {
    /// A number as manifests write it.
    fileprivate init(number: Double) {
        self = number.isNaN ? "nan" : number.isInfinite ? .string(number > 0 ? "inf" : "-inf") : .number(number)
    }
}
