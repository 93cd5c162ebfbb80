import Experiments
import Foundation

/// What tricks cost, for a terminal.
struct TrickTable {
    private var table: TextTable

    /// - Parameter title: the heading of the first column.
    init(_ measurements: [TrickBenchmark.Measurement], title: String) {
        table = TextTable(columns: [title, "s/step", "fastest – slowest", "x", "waiting", "GB", "x"])
        table.numeric = Set(1..<7)
        func number(_ value: Double?, _ format: String) -> TextTable.Cell {
            value.map { "\(String(format: format, $0))" } ?? "–"
        }
        table.rows = measurements.map { row in
            let range = row.range.map { String(format: "%.3f – %.3f", $0[0], $0[1]) } ?? "–"
            return [
                "\(row.name)", number(row.seconds, "%.3f"), "\(range)", number(row.timeRatio, "%.2f"),
                number(row.waiting, "%.3f"), number(row.peakGB, "%.2f"), number(row.memoryRatio, "%.2f"),
            ]
        }
        notes = measurements.compactMap { row in row.problem.map { "\(row.name) was not timed: \($0)" } }
    }

    private let notes: [String]

    /// The table, then why some rows are empty.
    var text: String { ([table.text] + notes).joined(separator: "\n") }
}
