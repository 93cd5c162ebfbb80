import Training

/// The sections of a comparison's page on other datasets, one each: verdicts, paired differences, the table, calibration.
struct TransferSections {
    let results: ComparisonResults
    /// The confidence of intervals in words.
    let confidence: String

    /// Adds what there is to `page`.
    func add(to page: inout HTMLPage) {
        for findings in results.transfers where !findings.groups.isEmpty {
            page.add(section: "Transfer to \(findings.target.name)", html(findings))
        }
    }

    private func html(_ findings: TransferFindings) -> String {
        let comparison = results.comparison
        var parts = [
            """
            <p class="note">The same networks, tested on \(findings.target.cases.count) labeled cases of \
            \(Markup.escaped(findings.target.name)) as they are: nothing was learned from these cases.</p>
            """
        ]
        if findings.finishedCells < results.finishedCells {
            parts.append(
                "<p class=\"note\">\(findings.finishedCells) of \(results.finishedCells) networks are tested.</p>")
        }
        parts += ComparisonPage.boxes(
            ToldVerdicts(findings.verdicts, on: findings.overall, sizes: results.comparison.sizes.count))
        if !findings.differences.isEmpty {
            parts.append(
                DifferenceChart(comparison, findings.differences, findings.overall, confidence: confidence).html)
        }
        let table = ComparisonTable(findings, of: results)
        parts.append(HTMLPage.table(columns: table.columns, rows: table.rows, numeric: table.numeric))
        if !findings.calibration.isEmpty {
            parts.append(
                "<p class=\"note\">How well the networks know there where they are wrong; see Calibration.</p>")
            parts.append(CalibrationSection(comparison, findings.calibration).table)
        }
        return parts.joined(separator: "\n")
    }
}
