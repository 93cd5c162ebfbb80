import Evaluation

/// The table of a comparison: one row for each training-set size and initialization, each compared with the baseline.
struct ComparisonTable {
    let columns: [String]
    let rows: [[String]]
    /// The columns that hold numbers.
    let numeric: Set<Int>

    /// The table of the comparison's own test cases.
    init(_ results: ComparisonResults) {
        self.init(
            results.comparison, results.groups, results.differences, results.bootstrap,
            last: [
                ("steps", { Format.count($0.steps.rounded()) }),
                ("time/run", { Format.duration(seconds: $0.seconds) }),
            ])
    }

    /// The table of another dataset's cases.
    init(_ findings: TransferFindings, of results: ComparisonResults) {
        self.init(results.comparison, findings.groups, findings.differences, results.bootstrap, last: [])
    }

    private init(
        _ comparison: Comparison, _ groups: [GroupResult], _ differences: [PairedResult], _ bootstrap: Bootstrap,
        last: [(name: String, value: (GroupResult) -> String)]
    ) {
        let confidence = "\(Int((bootstrap.confidence * 100).rounded())) % interval"
        columns =
            [
                "cases", "initialization", "runs", comparison.scoreName, "sd", confidence, "difference", confidence,
                "p",
                "better/worse",
            ] + last.map(\.name)
        numeric = Set(columns.indices).subtracting([1])
        rows = comparison.sizes.flatMap { size in
            comparison.initializations.compactMap { initialization -> [String]? in
                guard let group = groups.first(where: { $0.initialization == initialization.name && $0.size == size })
                else { return nil }
                let paired = differences.first { $0.initialization == initialization.name && $0.size == size }
                return [
                    size == .full ? "all (\(Format.count(group.trainingCases)))" : "\(size)", initialization.name,
                    "\(group.runs)", Format.dice(group.dice),
                    group.standardDeviation.map { Format.fixed($0, 3) } ?? "–",
                    group.interval.map { "\(Format.dice($0.lower)) – \(Format.dice($0.upper))" } ?? "–",
                    Format.signed(paired?.difference),
                    paired?.interval.map { "\(Format.signed($0.lower)) to \(Format.signed($0.upper))" } ?? "–",
                    Format.pValue(paired?.signFlipP), paired.map { "\($0.wins)/\($0.losses)" } ?? "–",
                ] + last.map { $0.value(group) }
            }
        }
    }

    /// The table for a terminal, columns aligned.
    var text: String {
        let widths = columns.indices.map { column in ([columns] + rows).map { $0[column].count }.max() ?? 0 }
        let lines = ([columns] + rows).map { row in
            row.indices.map { column in
                let padding = String(repeating: " ", count: widths[column] - row[column].count)
                return numeric.contains(column) ? padding + row[column] : row[column] + padding
            }.joined(separator: "  ")
        }
        return lines.joined(separator: "\n")
    }
}

extension ComparisonResults {
    /// The results for a terminal: the table, then the verdicts.
    public var text: String {
        var parts = [ComparisonTable(self).text]
        if finishedCells < allCells { parts.append("\(finishedCells) of \(allCells) training runs are finished.") }
        parts += ToldVerdicts(verdicts, on: overall, sizes: comparison.sizes.count).sentences + caveats
        for findings in transfers where !findings.groups.isEmpty {
            parts.append("On \(findings.target.name), without training there:")
            parts.append(ComparisonTable(findings, of: self).text)
            parts += ToldVerdicts(findings.verdicts, on: findings.overall, sizes: comparison.sizes.count).sentences
        }
        return parts.joined(separator: "\n\n") + "\n"
    }

    /// What a reader must know to judge the intervals.
    var caveats: [String] {
        let runs = differences.map(\.runs).max() ?? groups.map(\.runs).max() ?? 0
        var caveats: [String] = []
        switch runs {
        case 1:
            caveats.append(
                "One training run per point: the intervals cover the choice of test cases, not that of seeds.")
        case 2, 3:
            caveats.append(
                "Only \(runs) training runs per point: the intervals say little about what other seeds would give.")
        default: break
        }
        let leftOut = groups.map(\.leftOut).max() ?? 0
        // Of whole images each has one class only.
        if leftOut > 0, comparison.metric == nil {
            caveats.append(
                "Up to \(leftOut) scores per row are left out: neither reference nor prediction has the class.")
        }
        return caveats
    }
}
