import Evaluation
import Training

/// The paired differences to the baseline with their intervals, and how to read them.
struct DifferenceChart {
    private let comparison: Comparison
    private let differences: [PairedResult]
    private let overall: [PairedResult]
    /// The confidence of intervals in words.
    private let confidence: String

    init(_ comparison: Comparison, _ differences: [PairedResult], _ overall: [PairedResult], confidence: String) {
        (self.comparison, self.differences, self.overall) = (comparison, differences, overall)
        self.confidence = confidence
    }

    /// The chart and a note.
    var html: String {
        let groups = comparison.initializations.dropFirst().compactMap { initialization -> IntervalChart.Group? in
            let rows = differences.filter { $0.initialization == initialization.name }
            let summary = rows.count > 1 ? overall.filter { $0.initialization == initialization.name } : []
            return rows.isEmpty ? nil : IntervalChart.Group(initialization.name, rows: (rows + summary).map(row))
        }
        let baseline = comparison.baseline.name
        var chart = IntervalChart(
            "Difference of the \(comparison.scoreName) to \(baseline) with intervals",
            axis: ChartAxis("difference of the mean \(comparison.scoreName)"),
            sides: (
                negative: "\(baseline) better", positive: comparison.hasVariants ? "other better" : "pre-trained better"
            ),
            groups: groups)
        chart.isFlat = comparison.sizes.count == 1
        return """
            \(chart.svg)
            <p class="note">Each test case is compared with itself: same case, same training cases, same seed. Dots are mean \
            differences, bars their \(confidence) intervals. An interval that contains zero decides nothing.</p>
            """
    }

    private func row(_ result: PairedResult) -> IntervalChart.Row {
        let interval = result.interval.map { " [\(Format.signed($0.lower)), \(Format.signed($0.upper))]" } ?? ""
        let size = result.size
        return IntervalChart.Row(
            size.map { $0 == .full ? "all cases" : "\($0) case\($0 == 1 ? "" : "s")" } ?? "all sizes",
            value: result.difference, interval: result.interval.map { $0.lower...$0.upper },
            note: Format.signed(result.difference) + interval, isSummary: size == nil)
    }
}
