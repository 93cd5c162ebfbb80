import Evaluation
import Foundation
import Tensors
import Volumes

/// Times the evaluation of one large case: all metrics of five labels, by both definitions of a surface.
///
/// The masks are read from files, so that other software can be timed on the same ones; reading them is not timed.
public struct MetricsBenchmark: Sendable {
    /// The result. `seconds`, `all` and `threads` have the names of ``StepBenchmark/Result``.
    public struct Result: Codable, Sendable {
        /// `metrics`.
        public var `case` = "metrics"
        /// Median over the runs.
        public var seconds: Double
        /// Seconds of each run, in order.
        public var all: [Double]
        /// Peak resident memory of the process in GB.
        public var peakGB: Double
        /// Threads that computed.
        public var threads: Int
        /// Voxels along depth, height and width.
        public var extent: [Int]
        /// Seconds for the connected components of the reference's labels, 26 neighbours, in the last run; part of no
        /// other number.
        public var componentsSeconds: Double
        /// The number of those components by label.
        public var components: [String: Int]
        /// Every metric by label, for comparison with other software.
        public var values: [String: [String: Double]]

        enum CodingKeys: String, CodingKey {
            case `case`, seconds, all, threads, extent, values, components
            case peakGB = "peak_gb"
            case componentsSeconds = "components_seconds"
        }
    }

    /// The folder of `prediction.nii.gz` and `reference.nii.gz`; they are made up if it has none.
    public var folder: String
    /// Timed runs after one that is not.
    public var runs = 3
    /// Tolerances of the surface Dice.
    public var tolerancesMM = [1.0, 2]

    /// A benchmark on the masks in `folder`.
    public init(masks folder: String) { self.folder = folder }

    /// Measures the pair on `cpu`.
    /// - Throws: errors of files.
    public func run(on cpu: CPU) throws -> Result {
        let files = ["prediction", "reference"].map { "\(folder)/\($0).nii.gz" }
        if !files.allSatisfy(FileManager.default.fileExists(atPath:)) {
            try MaskPairPhantom().write(to: folder, on: cpu)
        }
        let (prediction, reference) = (try NIfTIFile.readLabels(files[0]), try NIfTIFile.readLabels(files[1]))
        let labels = reference.values.filter { $0 > 0 }.map { Int($0) }
        var measurement = CaseMeasurement(labels.map { Structure(label: $0) })
        measurement.surface = SurfaceSelection(definitions: SurfaceDefinition.allCases, tolerancesMM: tolerancesMM)
        var scores: [StructureScores] = []
        let seconds = (0...runs).map { _ in
            Self.seconds {
                scores = measurement.scores(
                    prediction: prediction.labels, reference: reference.labels, geometry: reference.geometry, on: cpu)
            }
        }.dropFirst()
        var components: [String: Int] = [:]
        let componentsSeconds = Self.seconds {
            for label in labels {
                let mask = BinaryMask(
                    extent: reference.extent, voxels: reference.labels.map { Int($0) == label ? 1 : 0 })
                components["\(label)"] = ConnectedComponents(of: mask, connectivity: .corners, on: cpu).count
            }
        }
        let metrics =
            OverlapMetric.allCases.map(Metric.overlap) + measurement.surface.metrics.map(Metric.surface)
        return Result(
            seconds: seconds.sorted()[seconds.count / 2], all: Array(seconds), peakGB: peakResidentGB(),
            threads: cpu.threads, extent: reference.extent.dimensions, componentsSeconds: componentsSeconds,
            components: components,
            values: Dictionary(
                uniqueKeysWithValues: zip(labels, scores).map { label, scores in
                    let finite = metrics.filter { scores[$0].isFinite }
                    return (
                        "\(label)", Dictionary(uniqueKeysWithValues: finite.map { ($0.summaryKey, scores[$0]) })
                    )
                }))
    }

    private static func seconds(_ body: () -> Void) -> Double {
        let start = ContinuousClock.now
        body()
        return (ContinuousClock.now - start) / .seconds(1)
    }
}
