import Evaluation
import Training

/// How well the networks know where they are wrong: reliability curves and a table.
struct CalibrationSection {
    private let comparison: Comparison
    private let rows: [CalibrationRow]

    init(_ comparison: Comparison, _ rows: [CalibrationRow]) { (self.comparison, self.rows) = (comparison, rows) }

    /// The chart, the table and how to read them.
    var html: String {
        """
        \(chart.svg)
        <p class="note">Voxels within \(Format.count(ConfidenceProfile.marginMM)) mm of the reference's foreground, of all test \
        cases and runs at the largest training set, by the probability of what was predicted. Below the diagonal a network is \
        surer than it is right.</p>
        \(table)
        <p class="note">Mean ± standard deviation over training runs of the means over test cases. calibration error: expected \
        calibration error (Naeini et al. 2015; Guo et al. 2017) in \(Reliability.bins) bins, of the voxels above. overlap: Dice of \
        the uncertain and the wrong voxels (Jungo et al. 2020); uncertain is an entropy of \(uncertain) or more of the largest \
        there can be. A network that is unsure exactly where it is wrong has 1.</p>
        """
    }

    private var uncertain: String {
        Format.fixed(Double(ConfidenceProfile.uncertainTenths) / Double(UncertaintyOverlap.bins), 1)
    }

    private var chart: LineChart {
        let largest = comparison.sizes.last { size in rows.contains { $0.size == size } }
        let lines = comparison.initializations.compactMap { initialization -> LineChart.Series? in
            rows.first { $0.initialization == initialization.name && $0.size == largest }.map { row in
                LineChart.Series(
                    initialization.name, points: row.curve.map { LineChart.Point(x: $0.confidence, y: $0.accuracy) },
                    hasMarkers: true, isBaseline: initialization == comparison.baseline)
            }
        }
        let first = lines.flatMap(\.points).map(\.x).min() ?? 0
        let diagonal = LineChart.Series(
            "calibrated", points: [LineChart.Point(x: first, y: first), LineChart.Point(x: 1, y: 1)])
        return LineChart(
            "Reliability: share of right voxels by the probability of what was predicted",
            xAxis: ChartAxis("probability of what was predicted"), yAxis: ChartAxis("share of voxels that are right"),
            series: lines + [diagonal])
    }

    /// One row for each training-set size and initialization.
    var table: String {
        let cells = comparison.sizes.flatMap { size in
            comparison.initializations.compactMap { initialization -> [String]? in
                rows.first { $0.initialization == initialization.name && $0.size == size }.map { row in
                    [
                        "\(size)", row.initialization, "\(row.runs)",
                        Format.spread(
                            row.expectedCalibrationError.mean, row.expectedCalibrationError.standardDeviation, 3),
                        Format.spread(
                            row.uncertaintyErrorOverlap.mean, row.uncertaintyErrorOverlap.standardDeviation, 3),
                    ]
                }
            }
        }
        return HTMLPage.table(
            columns: ["cases", "initialization", "runs", "calibration error", "overlap"], rows: cells,
            numeric: [0, 2, 3, 4])
    }
}
