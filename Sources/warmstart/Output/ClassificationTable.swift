import Evaluation
import Foundation

/// The scores of a classification for a terminal or for machines.
struct ClassificationTable {
    let scores: ClassificationScores

    init(_ scores: ClassificationScores) { self.scores = scores }

    /// Prints accuracy and areas with their 95 % intervals, or the content of `summary.json`.
    func print(json: Bool) throws {
        Swift.print(json ? String(decoding: try scores.encoded(), as: UTF8.self) : text)
    }

    private var text: String {
        var table = TextTable(columns: ["class", "cases", "found", "95 % interval", "AUC", "95 % interval"])
        table.numeric = Set(1..<6)
        for index in scores.classes.indices {
            let (found, area) = (scores.sensitivity(ofClass: index), scores.area(ofClass: index))
            table.rows.append(
                [
                    "\(scores.classes[index])", TextTable.Cell(found.count), "\(number(found.value))",
                    "\(range(found.interval))", "\(number(area?.value ?? .nan))", "\(range(area?.interval))",
                ])
        }
        table.rows.append(
            [
                "all", TextTable.Cell(scores.accuracy.count), "\(number(scores.accuracy.value))",
                "\(range(scores.accuracy.interval))", "\(number(scores.meanArea))", "",
            ])
        return table.text
    }

    private func number(_ value: Double) -> String { value.isNaN ? "–" : String(format: "%.3f", value) }

    private func range(_ interval: Interval?) -> String {
        interval.map { String(format: "%.3f – %.3f", $0.lower, $0.upper) } ?? "–"
    }
}
