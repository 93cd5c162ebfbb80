import Evaluation
import Foundation
import Training

/// The page of a comparison: verdicts, curves, paired differences, tables and settings.
struct ComparisonPage {
    let results: ComparisonResults
    /// What lies behind the scores; nil if only the scores are known.
    let analysis: ComparisonAnalysis?
    let slices: [CaseSlices]

    init(_ results: ComparisonResults, analysis: ComparisonAnalysis? = nil, slices: [CaseSlices] = []) {
        (self.results, self.analysis, self.slices) = (results, analysis, slices)
    }

    private var comparison: Comparison { results.comparison }
    private var confidence: String { "\(Int((results.bootstrap.confidence * 100).rounded())) %" }

    /// The whole page.
    var html: String {
        let testCases = Set(comparison.folds.flatMap(\.test)).count
        let names = comparison.initializations.map(\.name)
        var page = HTMLPage(
            title: "\(comparison.dataset): which \(comparison.hasVariants ? "training" : "initialization")?",
            subtitle: "\(names.joined(separator: ", ")), fine-tuned on "
                + "\(comparison.sizes.map(\.description).joined(separator: ", ")) labeled cases, tested on \(testCases)."
        )
        page.add(section: "", verdicts)
        guard !results.groups.isEmpty else { return page.html }
        // Of one size the differences and the table tell more.
        if comparison.sizes.count > 1 {
            page.add(section: "\(Self.capitalized(comparison.scoreName)) by number of training cases", curves)
        }
        if !results.differences.isEmpty {
            let chart = DifferenceChart(comparison, results.differences, results.overall, confidence: confidence)
            page.add(section: "Paired difference to \(comparison.baseline.name)", chart.html)
        }
        if let ranks = results.ranks { page.add(section: "Ranks", rankSection(ranks)) }
        page.add(section: "All numbers", table)
        page.add(section: "By class", classTable)
        TransferSections(results: results, confidence: confidence).add(to: &page)
        if !results.calibration.isEmpty {
            page.add(section: "Calibration", CalibrationSection(comparison, results.calibration).html)
        }
        if let analysis {
            AnalysisSections(comparison: comparison, analysis: analysis, slices: slices, confidence: confidence)
                .add(to: &page)
        }
        if !results.overall.isEmpty { page.add(section: "By test case", caseTables) }
        page.add(section: "Settings", settings)
        return page.html
    }

    private var verdicts: String {
        var parts = Self.boxes(
            ToldVerdicts(results.verdicts, on: results.overall, sizes: comparison.sizes.count))
        if results.finishedCells < results.allCells {
            parts.append(
                "<p class=\"note\">\(results.finishedCells) of \(results.allCells) training runs are finished; "
                    + "the numbers below are what they give so far.</p>")
        }
        parts += results.caveats.map { "<p class=\"note\">\(Markup.escaped($0))</p>" }
        return parts.joined(separator: "\n")
    }

    /// Verdicts in boxes.
    static func boxes(_ told: ToldVerdicts) -> [String] {
        told.single.map(box)
            + (told.together.map { ["<div class=\"verdict\">\(Markup.escaped($0))</div>"] } ?? [])
    }

    /// A verdict in a box, its headline first.
    private static func box(_ verdict: Verdict) -> String {
        let kind =
            switch verdict.outcome {
            case .helped: " good"
            case .hurt: " bad"
            case .noDifference, .undecided: ""
            }
        let halves = verdict.sentence.split(separator: ": ", maxSplits: 1)
        return """
            <div class="verdict\(kind)"><strong>\(Markup.escaped(String(halves[0])))</strong>
            \(Markup.escaped(capitalized(String(halves.last ?? ""))))</div>
            """
    }

    private var curves: String {
        let series = comparison.initializations.map { initialization in
            LineChart.Series(
                initialization.name,
                points: results.groups.filter { $0.initialization == initialization.name }.map { group in
                    LineChart.Point(
                        x: group.trainingCases, y: group.dice, band: group.interval.map { $0.lower...$0.upper })
                },
                hasMarkers: true, isBaseline: initialization == comparison.baseline)
        }
        let sizes = Set(series.flatMap { $0.points.map(\.x) }).sorted()
        let isWide = (sizes.last ?? 1) > 5 * (sizes.first ?? 1)
        let chart = LineChart(
            "Mean \(comparison.scoreName) of each initialization by number of training cases",
            xAxis: ChartAxis(
                "labeled training cases", scale: isWide ? .logarithmic : .linear,
                ticks: sizes.map { ChartAxis.Tick(value: $0, label: Format.count($0)) }),
            yAxis: ChartAxis("mean \(comparison.scoreName)"), series: series)
        return """
            \(chart.svg)
            <p class="note">Bands: \(confidence) bootstrap intervals. They overlap even where an initialization is better \
            in nearly every case, since cases differ more than initializations; the paired differences below are what to \
            judge by.</p>
            """
    }

    private func rankSection(_ ranks: RankStability) -> String {
        let chart = PlaceChart(
            "How often each initialization takes each place when test cases are drawn again",
            rows: ranks.methods.map { method in
                PlaceChart.Row(
                    method.name, shares: method.placeShares,
                    note: "first in \(Format.fixed(100 * method.probabilityOfBest, 0)) %",
                    isBaseline: method.name == comparison.baseline.name)
            })
        let tau =
            ranks.kendallTau.map { " Kendall's τ to the ranking of all cases: \(Format.fixed($0, 2)) on average." }
            ?? ""
        return """
            \(chart.svg)
            <p class="note">Ranked by the mean \(comparison.scoreName) over training-set sizes and test cases; the cases drawn again \
            \(ranks.repetitions) times. The networks are taken as given: other seeds can change the order beyond what is \
            shown.\(tau)</p>
            """
    }

    private var table: String {
        let table = ComparisonTable(results)
        return HTMLPage.table(columns: table.columns, rows: table.rows, numeric: table.numeric) + """

            <p class="note">\(Self.capitalized(comparison.scoreName)): mean over test cases and runs for each class, then over \
            classes. sd: standard deviation over training runs (seeds and folds). p: two-sided sign-flip test over test cases; it takes the trained networks as \
            given, unlike the intervals, and is not adjusted for the number of comparisons (comparison.json has the adjusted \
            values). better/worse: test cases above and below \
            \(Markup.escaped(comparison.baseline.name)).</p>
            """
    }

    private var classTable: String {
        let columns = ["cases", "initialization"] + comparison.classNames
        let rows = comparison.sizes.flatMap { size in
            comparison.initializations.compactMap { initialization -> [String]? in
                results.groups.first { $0.initialization == initialization.name && $0.size == size }.map { group in
                    ["\(size)", initialization.name]
                        + group.diceOfClasses.indices.map { index in
                            Format.spread(group.diceOfClasses[index], group.standardDeviationOfClasses?[index], 3)
                        }
                }
            }
        }
        return HTMLPage.table(columns: columns, rows: rows, numeric: Set(columns.indices).subtracting([1])) + """

            <p class="note">Mean ± standard deviation over training runs.</p>
            """
    }

    /// The cases with the largest gains and losses, folded away.
    private var caseTables: String {
        results.overall.map { result in
            HTMLPage.table(
                columns: ["case", "\(result.initialization) less \(result.baseline), all sizes"],
                rows: result.cases.map { [$0.name, Format.signed($0.difference)] }, numeric: [1])
        }.enumerated().map { index, table in
            let name = Markup.escaped(results.overall[index].initialization)
            return
                "<details><summary>\(name): \(results.overall[index].cases.count) cases, largest gain first</summary>\n"
                + "\(table)</details>"
        }.joined(separator: "\n")
    }

    private var settings: String {
        let folds = comparison.folds
        let pool = folds.map(\.training.count)
        let range = pool.min() == pool.max() ? "\(pool[0])" : "\(pool.min() ?? 0) to \(pool.max() ?? 0)"
        let bootstrap = results.bootstrap
        func content(_ digest: String?) -> String { digest.map { ", content \($0)" } ?? "" }
        var entries: [(String, String)] = [
            (
                "Dataset",
                "\(comparison.dataset), \(comparison.caseNames.count) cases" + content(comparison.dataDigest)
            ),
            ("Split", "\(comparison.split): \(range) cases to train on, \(folds[0].test.count) to test"),
            ("Seeds", comparison.seeds.map(String.init).joined(separator: ", ")),
            ("Training subsets", "nested; one permutation per seed and fold, shared by all initializations"),
            (
                "Intervals",
                "percentile bootstrap, \(bootstrap.repetitions) draws of \(bootstrap.resampling.rawValue), seed \(bootstrap.seed)"
            ),
        ]
        entries += comparison.transfer.map { target in
            (
                "Also tested on \(target.name)",
                "\(target.dataset), \(target.cases.count) cases" + content(target.digest)
            )
        }
        entries += comparison.initializations.map { initialization in
            (
                "Weights of \(initialization.name)",
                (initialization.shownWeights ?? "random") + content(initialization.digest)
            )
        }
        entries += [("Arithmetic", comparison.arithmetic), ("Software", "Warmstart \(Software.version)")]
        entries.removeAll { $0.1.isEmpty }
        let list = entries.map { "<dt>\(Markup.escaped($0))</dt><dd>\(Markup.escaped($1))</dd>" }.joined(
            separator: "\n")
        let recipe =
            comparison.recipe.isEmpty
            ? ""
            : "<details><summary>Fine-tuning recipe</summary><pre>\(Markup.escaped(comparison.recipe))</pre></details>"
        return "<dl>\n\(list)\n</dl>\n\(recipe)"
    }

    private static func capitalized(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() }
}
