import Evaluation
import Foundation

/// The scores of a dataset for a terminal or for machines.
struct ScoreTable {
    let scores: DatasetScores

    init(_ scores: DatasetScores) { self.scores = scores }

    /// Prints a table of the classes, or the content of `summary.json`.
    func print(json: Bool) throws {
        if json { return Swift.print(String(decoding: try SummaryFile(scores).encoded(), as: UTF8.self)) }
        Swift.print(table.text)
        if let calibration { Swift.print("\n\(calibration)") }
    }

    /// A sentence on how well the network knew where it was wrong; nil where only labels are known.
    private var calibration: String? {
        let (errors, overlaps) = (scores.calibrationErrors, scores.uncertaintyErrorOverlaps)
        guard errors.count > 0 else { return nil }
        return String(
            format: "expected calibration error %.4f within %g mm of the reference", errors.mean,
            ConfidenceProfile.marginMM)
            + (overlaps.count > 0
                ? String(format: "; Dice of uncertain and wrong voxels %.4f", overlaps.mean) : "")
    }

    private var table: TextTable {
        func text(_ value: Double) -> TextTable.Cell { value.isNaN ? "–" : "\(String(format: "%.4f", value))" }
        let overlap: [(name: String, metric: Metric)] = [
            ("IoU", .overlap(.iou)), ("precision", .overlap(.precision)), ("recall", .overlap(.recall)),
            ("volume error", .overlap(.relativeVolumeError)),
        ]
        let metrics = overlap + surfaceColumns
        var table = TextTable(columns: ["class", "Dice", "sd"] + metrics.map(\.name) + ["left out", "missed"])
        table.numeric = Set(1..<table.columns.count)
        for (index, structure) in scores.structures.enumerated() {
            let dice = scores.scores(.dice, ofStructure: index)
            table.rows.append(
                ["\(structure.name)", text(dice.mean), text(dice.standardDeviation)]
                    + metrics.map { text(scores.scores($0.metric, ofStructure: index).mean) }
                    + [TextTable.Cell(dice.leftOut), TextTable.Cell(scores.missed(structure: index))])
        }
        table.rows.append(
            ["foreground", text(scores.foregroundMean(.dice)), ""]
                + metrics.map { text(scores.foregroundMean($0.metric)) } + ["", ""])
        return table
    }

    /// The surface metrics that people ask for; boundary voxels are told apart from surface elements.
    private var surfaceColumns: [(name: String, metric: Metric)] {
        scores.surface.metrics.compactMap { metric in
            switch metric.quantity {
            case .hausdorff95, .average, .surfaceDice:
                (
                    metric.definition == .elements ? metric.shortName : "\(metric.shortName) (voxels)",
                    .surface(metric)
                )
            default: nil
            }
        }
    }
}
