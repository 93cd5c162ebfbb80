/// Rows under headings, columns aligned.
struct TextTable {
    /// A text for people, and what machines read instead.
    struct Cell: Encodable, ExpressibleByStringInterpolation {
        var text: String
        var value: any Encodable

        /// The same text for both.
        init(stringLiteral text: String) { self.init(text, text) }

        /// A whole number.
        init(_ number: Int) { self.init(number, "\(number)") }

        /// `value`, shown as `text`.
        init(_ value: some Encodable, _ text: String) { (self.value, self.text) = (value, text) }

        func encode(to encoder: any Encoder) throws { try value.encode(to: encoder) }
    }

    /// The headings.
    var columns: [String]
    /// One cell per column.
    var rows: [[Cell]] = []
    /// The columns aligned to the right.
    var numeric: Set<Int> = []

    /// The table for people.
    var text: String {
        let lines = [columns] + rows.map { $0.map(\.text) }
        let widths = columns.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        return lines.map { row in
            let cells = row.indices.map { column in
                let padding = String(repeating: " ", count: widths[column] - row[column].count)
                return numeric.contains(column) ? padding + row[column] : row[column] + padding
            }
            return cells.joined(separator: "  ").trimmingTrailingSpaces
        }.joined(separator: "\n")
    }

    /// The rows as objects with the headings as keys, for machines.
    var objects: [[String: Cell]] {
        rows.map { Dictionary(uniqueKeysWithValues: zip(columns, $0)) }
    }
}

extension String {
    fileprivate var trimmingTrailingSpaces: String {
        var result = self[...]
        while result.last == " " { result.removeLast() }
        return String(result)
    }
}
