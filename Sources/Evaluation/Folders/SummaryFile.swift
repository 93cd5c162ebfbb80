import Foundation

/// nnU-Net's `summary.json`, with more metrics: `metric_per_case`, `mean` and `foreground_mean` have nnU-Net's layout and
/// keys, and `structures` gives each structure's name, labels, standard deviation of the Dice, the number of cases that
/// were left out, and the number of those where only one of prediction and reference has it. These are infinitely far
/// away: `metric_per_case` says so, and the means count them as the image's diagonal. `calibration` tells how well the network
/// knew where it was wrong (``ConfidenceProfile``), where its probabilities were at hand: the means over cases, each case, and
/// the reliability curve of all voxels.
public struct SummaryFile: Sendable {
    /// What is written.
    public var scores: DatasetScores

    /// The summary of `scores`.
    public init(_ scores: DatasetScores) { self.scores = scores }

    /// The file's bytes: JSON with sorted keys.
    ///
    /// Scores that are not a number are written as the bare word `NaN`, as Python does and nnU-Net's tools expect.
    public func encoded() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        // JSON has no NaN, so Foundation writes a string: one that no file name contains, and that loses its quotes here.
        let words = (nan: "\u{1}NaN", positive: "\u{1}Infinity", negative: "\u{1}-Infinity")
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: words.positive, negativeInfinity: words.negative, nan: words.nan)
        var text = String(decoding: try encoder.encode(Layout(scores)), as: UTF8.self)
        for word in [words.nan, words.positive, words.negative] {
            text = text.replacingOccurrences(of: "\"\\u0001\(word.dropFirst())\"", with: word.dropFirst())
        }
        return Data(text.utf8)
    }

    /// The keys and values of the file.
    private struct Layout: Encodable {
        var foreground_mean: [String: Double]
        var mean: [String: [String: Double]]
        var metric_per_case: [Case]
        var structures: [String: Description]
        var calibration: Calibration?

        struct Calibration: Encodable {
            var expected_calibration_error: Double
            var uncertainty_error_overlap: Double
            var margin_mm = ConfidenceProfile.marginMM
            var uncertain_from = Double(ConfidenceProfile.uncertainTenths) / Double(UncertaintyOverlap.bins)
            var curve: [Reliability.Point]
            var per_case: [CalibratedCase]
        }

        struct CalibratedCase: Encodable {
            var name: String
            var expected_calibration_error: Double
            var uncertainty_error_overlap: Double
        }

        struct Case: Encodable {
            var metrics: [String: Values]
            var prediction_file: String
            var reference_file: String
        }

        struct Description: Encodable {
            var name: String
            var labels: [Int]
            var dice_standard_deviation: Double
            var cases_without_dice: Int
            var cases_with_infinite_distance: Int
        }

        /// The metrics of a structure in a case; counts are whole numbers.
        struct Values: Encodable {
            var scores: StructureScores
            var metrics: [Metric]

            func encode(to encoder: any Encoder) throws {
                var container = encoder.container(keyedBy: Key.self)
                for metric in metrics {
                    let key = Key(stringValue: metric.summaryKey)
                    if case .overlap(let counted) = metric, counted.isCount {
                        try container.encode(Int(scores[counted]), forKey: key)
                    } else {
                        try container.encode(scores[metric], forKey: key)
                    }
                }
            }
        }

        /// A metric's name.
        struct Key: CodingKey {
            var stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        init(_ scores: DatasetScores) {
            let keys = scores.structures.map(\.summaryKey)
            let metrics = scores.metrics
            func values(_ value: (Metric) -> Double) -> [String: Double] {
                Dictionary(uniqueKeysWithValues: metrics.map { ($0.summaryKey, value($0)) })
            }
            foreground_mean = values(scores.foregroundMean)
            mean = [:]
            structures = [:]
            for (index, structure) in scores.structures.enumerated() {
                mean[keys[index]] = values { scores.scores($0, ofStructure: index).mean }
                let dice = scores.scores(.dice, ofStructure: index)
                structures[keys[index]] = Description(
                    name: structure.name, labels: structure.labels.sorted(),
                    dice_standard_deviation: dice.standardDeviation, cases_without_dice: dice.leftOut,
                    cases_with_infinite_distance: scores.missed(structure: index))
            }
            let profiles = scores.cases.compactMap { item in item.confidence.map { (item.name, $0) } }
            calibration =
                profiles.isEmpty
                ? nil
                : Calibration(
                    expected_calibration_error: scores.calibrationErrors.mean,
                    uncertainty_error_overlap: scores.uncertaintyErrorOverlaps.mean,
                    curve: profiles.map(\.1.reliability).reduce(Reliability(), +).curve,
                    per_case: profiles.map { name, profile in
                        CalibratedCase(
                            name: name, expected_calibration_error: profile.expectedCalibrationError,
                            uncertainty_error_overlap: profile.uncertaintyErrorOverlap)
                    })
            metric_per_case = scores.cases.map { item in
                Case(
                    metrics: Dictionary(
                        uniqueKeysWithValues: zip(keys, item.structures.map { Values(scores: $0, metrics: metrics) })),
                    prediction_file: item.predictionFile, reference_file: item.referenceFile)
            }
        }
    }
}
