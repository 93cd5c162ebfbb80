import Evaluation
import Foundation
import Training

/// The sections of a comparison's page that look behind the scores: surfaces, subgroups, errors, worst cases.
struct AnalysisSections {
    let comparison: Comparison
    let analysis: ComparisonAnalysis
    let slices: [CaseSlices]
    /// The confidence of intervals in words.
    let confidence: String

    /// Adds what there is to `page`.
    func add(to page: inout HTMLPage) {
        page.add(section: "Surfaces", surfaces)
        if !analysis.subgroups.isEmpty { page.add(section: "Who gains", subgroups) }
        page.add(section: "Kinds of errors", errors)
        if !analysis.worstCases.isEmpty { page.add(section: "Worst cases", worstCases) }
    }

    private var surfaces: String {
        let columns =
            ["cases", "initialization", "runs", "HD95, mm", "ASSD, mm"]
            + CellFacts.tolerancesMM.map { "NSD \(Format.count($0)) mm" } + ["missed"]
        let rows = comparison.sizes.flatMap { size in
            analysis.surfaces.filter { $0.size == size }.map { row in
                [
                    "\(size)", row.initialization, "\(row.runs)",
                    Format.spread(row.hausdorff95MM.mean, row.hausdorff95MM.standardDeviation, 2),
                    Format.spread(row.averageMM.mean, row.averageMM.standardDeviation, 2),
                ] + row.surfaceDice.map { Format.spread($0.mean, $0.standardDeviation, 3) } + ["\(row.missed)"]
            }
        }
        return HTMLPage.table(columns: columns, rows: rows, numeric: Set(columns.indices).subtracting([1])) + """

            <p class="note">Mean ± standard deviation over training runs, of surface elements weighted by area. HD95: larger \
            of both directions' 95th percentiles. ASSD: average symmetric surface distance. NSD: share of both surfaces within \
            the tolerance. missed: classes of cases that only reference or prediction has; they count as the image's \
            diagonal.</p>
            """
    }

    private var subgroups: String {
        let groupings = analysis.subgroups.reduce(into: [String]()) {
            if !$0.contains($1.grouping) { $0.append($1.grouping) }
        }
        let several = comparison.initializations.count > 2
        let chart = IntervalChart(
            "Difference of the Dice to \(comparison.baseline.name) in groups of test cases",
            axis: ChartAxis("difference of the mean Dice, all training-set sizes"),
            sides: (negative: "\(comparison.baseline.name) better", positive: "pre-trained better"),
            groups: groupings.map { grouping in
                IntervalChart.Group(
                    grouping,
                    rows: analysis.subgroups.filter { $0.grouping == grouping }.map { effect in
                        let interval =
                            effect.interval.map { " [\(Format.signed($0.lower)), \(Format.signed($0.upper))]" } ?? ""
                        return IntervalChart.Row(
                            Self.shortened(effect.group) + (several ? ", \(effect.initialization)" : ""),
                            value: effect.difference, interval: effect.interval.map { $0.lower...$0.upper },
                            note: Format.signed(effect.difference) + interval)
                    })
            })
        let columns = [
            "grouping", "group", "initialization", "cases", "Dice of \(comparison.baseline.name)", "difference",
        ]
        let rows = analysis.subgroups.map {
            [
                $0.grouping, $0.group, $0.initialization, "\($0.cases)", Format.dice($0.baselineDice),
                Format.signed($0.difference),
            ]
        }
        return """
            \(chart.svg)
            <p class="note">Bars: \(confidence) intervals. The thirds are cut at the volumes of the references. Of many groups, \
            some intervals miss zero by chance alone.</p>
            <details><summary>The groups in numbers</summary>
            \(HTMLPage.table(columns: columns, rows: rows, numeric: [3, 4, 5]))</details>
            """
    }

    /// What stands before the comma: charts have little room.
    private static func shortened(_ group: String) -> String { String(group.split(separator: ",")[0]) }

    private var errors: String {
        let columns = ["cases", "initialization", "parts found", "false parts", "errors at the surface"]
        let rows = comparison.sizes.flatMap { size in
            analysis.surfaces.filter { $0.size == size }.map { row in
                [
                    "\(size)", row.initialization, "\(row.foundParts) of \(row.referenceParts)", "\(row.falseParts)",
                    row.errorsAtSurface.map { "\(Format.fixed(100 * $0, 0)) %" } ?? "–",
                ]
            }
        }
        let confusions = analysis.confusions.map { confusion in
            let names = ["background"] + comparison.classNames
            let rows = zip(names, confusion.shares).map { name, shares in
                [name] + shares.map { "\(Format.fixed(100 * $0, 1)) %" }
            }
            return """
                <p class="note">\(Markup.escaped(confusion.initialization)), largest training set: where the voxels of each \
                class went</p>
                \(HTMLPage.table(columns: ["is"] + names.map { "called \($0)" }, rows: rows, numeric: Set(1...names.count)))
                """
        }
        return """
            \(HTMLPage.table(columns: columns, rows: rows, numeric: [0, 2, 3, 4]))
            <p class="note">Parts are connected by faces, edges or corners; one is found if the prediction touches it. Errors at \
            the surface: share of wrong voxels that touch the reference's surface; the others are misjudged shapes or places.</p>
            \(confusions.joined(separator: "\n"))
            """
    }

    private var worstCases: String {
        let largest = analysis.worstCases.map { worst in
            let title = worst.dice.sorted { $0.key < $1.key }.map { "\($0.key) \(Format.dice($0.value))" }
            let volumes = zip(comparison.classNames, worst.referenceMM3).map { "\($0) \(Format.volume($1))" }
            let pictures =
                slices.first { $0.name == worst.name }.map { slices in
                    slices.pictures.map { caption, picture in
                        let text = Markup.escaped(caption)
                        return """
                            <figure><img alt="\(text)" src="data:image/png;base64,\(picture.png.base64EncodedString())"/>\
                            <figcaption>\(text)</figcaption></figure>
                            """
                    }.joined(separator: "\n")
                } ?? ""
            let place = slices.first { $0.name == worst.name }.map { ", slice \($0.slice + 1) of \($0.slices)" } ?? ""
            return """
                <div class="case"><p><strong>\(Markup.escaped(worst.name))</strong>\(place)</p>
                <p class="note">Dice: \(Markup.escaped(title.joined(separator: ", "))). Reference: \
                \(Markup.escaped(volumes.joined(separator: ", ")))</p>
                <div class="pictures">\(pictures)</div></div>
                """
        }
        return """
            <p class="note">The test cases with the lowest Dice at the largest training set, in the slice with most errors. Areas: \
            what is predicted, by the first run; white lines: the reference.</p>
            \(largest.joined(separator: "\n"))
            """
    }
}
