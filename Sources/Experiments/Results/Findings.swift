import Evaluation

/// What a comparison found on one set of test cases: scores of each initialization and size, paired differences to the
/// baseline, and a verdict on each initialization.
struct Findings {
    /// By initialization, then size.
    var groups: [GroupResult]
    /// By initialization, then size.
    var differences: [PairedResult]
    /// Over all sizes, by initialization.
    var overall: [PairedResult]
    /// One for each initialization but the baseline.
    var verdicts: [Verdict]
    /// By initialization, then size.
    var calibration: [CalibrationRow]

    /// The findings of these outcomes. Differences use only runs that both initializations have finished.
    /// - Parameter place: where the test cases are from, for sentences; nil for the comparison's own.
    init(
        _ comparison: Comparison, outcomes: [CellKey: CellOutcome], bootstrap: Bootstrap, place: String? = nil
    ) {
        func finished(_ initialization: Initialization, _ size: TrainingSize) -> [(CellKey, CellOutcome)] {
            outcomes.filter { $0.key.initialization == initialization.name && $0.key.size == size }
                .map { ($0.key, $0.value) }
        }
        groups = comparison.initializations.flatMap { initialization in
            comparison.sizes.compactMap { size in
                GroupResult(
                    comparison, initialization: initialization.name, size: size,
                    outcomes: finished(initialization, size), bootstrap: bootstrap)
            }
        }
        calibration = comparison.initializations.flatMap { initialization in
            comparison.sizes.compactMap { size in
                CalibrationRow(
                    initialization: initialization.name, size: size, outcomes: finished(initialization, size))
            }
        }

        var differences: [PairedResult] = []
        var overall: [PairedResult] = []
        for initialization in comparison.initializations.dropFirst() {
            let pairs = comparison.sizes.map { (finished(initialization, $0), finished(comparison.baseline, $0)) }
            func compare(_ pairs: ArraySlice<([(CellKey, CellOutcome)], [(CellKey, CellOutcome)])>, size: TrainingSize?)
                -> PairedResult?
            {
                PairedResult(
                    initialization: initialization.name, baseline: comparison.baseline.name, size: size,
                    tables: ComparisonResults.differences(comparison, Array(pairs)), bootstrap: bootstrap)
            }
            for (index, size) in comparison.sizes.enumerated() {
                if let result = compare(pairs[index...index], size: size) { differences.append(result) }
            }
            if let result = compare(pairs[...], size: nil) { overall.append(result) }
        }
        // A balanced accuracy is a mean over classes, of images that have one class each: tests of image by image would weigh the
        // classes by their images and answer another question.
        let hasTests = comparison.metric == nil
        self.differences = hasTests ? differences.holmAdjusted() : differences.map(\.untested)
        self.overall = hasTests ? overall.holmAdjusted() : overall.map(\.untested)
        verdicts = self.overall.map {
            Verdict($0, of: comparison.scoreName, confidence: bootstrap.confidence, place: place)
        }
    }
}
