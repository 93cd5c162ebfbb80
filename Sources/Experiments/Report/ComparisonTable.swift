import Evaluation

/// The table of a comparison: one row for each training-set size and initialization, each compared with the baseline.
struct ComparisonTable {
    let columns: [String]
    let rows: [[String]]
    /// The columns that hold numbers.
    let numeric: Set<Int>

    init(_ results: ComparisonResults) {
        let confidence = "\(Int((results.bootstrap.confidence * 100).rounded())) % interval"
        columns = [
            "cases", "initialization", "runs", results.comparison.scoreName, "sd", confidence, "difference", confidence,
            "p", "better/worse",
            "steps", "time/run",
        ]
        numeric = Set(columns.indices).subtracting([1])
        let comparison = results.comparison
        rows = comparison.sizes.flatMap { size in
            comparison.initializations.compactMap { initialization -> [String]? in
                guard
                    let group = results.groups.first(where: {
                        $0.initialization == initialization.name && $0.size == size
                    })
                else { return nil }
                let paired = results.differences.first { $0.initialization == initialization.name && $0.size == size }
                return [
                    size == .full ? "all (\(Format.count(group.trainingCases)))" : "\(size)", initialization.name,
                    "\(group.runs)", Format.dice(group.dice),
                    group.standardDeviation.map { Format.fixed($0, 3) } ?? "–",
                    group.interval.map { "\(Format.dice($0.lower)) – \(Format.dice($0.upper))" } ?? "–",
                    Format.signed(paired?.difference),
                    paired?.interval.map { "\(Format.signed($0.lower)) to \(Format.signed($0.upper))" } ?? "–",
                    Format.pValue(paired?.signFlipP), paired.map { "\($0.wins)/\($0.losses)" } ?? "–",
                    Format.count(group.steps.rounded()), Format.duration(seconds: group.seconds),
                ]
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
    /// The results for a terminal: the table, then a sentence for each initialization.
    public var text: String {
        var parts = [ComparisonTable(self).text]
        if finishedCells < allCells { parts.append("\(finishedCells) of \(allCells) training runs are finished.") }
        parts += verdicts.map(\.sentence) + caveats
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
