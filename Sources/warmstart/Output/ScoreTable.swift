import Evaluation
import Foundation

/// The scores of a dataset for a terminal or for machines.
struct ScoreTable {
    let scores: DatasetScores

    init(_ scores: DatasetScores) { self.scores = scores }

    /// Prints a table of the classes, or the content of `summary.json`.
    func print(json: Bool) throws {
        Swift.print(json ? String(decoding: try SummaryFile(scores).encoded(), as: UTF8.self) : table.text)
    }

    private var table: TextTable {
        func text(_ value: Double) -> TextTable.Cell { value.isNaN ? "–" : "\(String(format: "%.4f", value))" }
        let metrics: [OverlapMetric] = [.iou, .precision, .recall, .relativeVolumeError]
        var table = TextTable(columns: [
            "class", "Dice", "sd", "IoU", "precision", "recall", "volume error", "left out",
        ])
        table.numeric = Set(1..<table.columns.count)
        for (index, structure) in scores.structures.enumerated() {
            let dice = scores.scores(.dice, ofStructure: index)
            table.rows.append(
                ["\(structure.name)", text(dice.mean), text(dice.standardDeviation)]
                    + metrics.map { text(scores.scores($0, ofStructure: index).mean) } + [TextTable.Cell(dice.leftOut)])
        }
        table.rows.append(
            ["foreground", text(scores.foregroundMean(.dice)), ""] + metrics.map { text(scores.foregroundMean($0)) }
                + [""])
        return table
    }
}
