/// Values with intervals, one below the other, against a line of no difference (a forest plot), as inline SVG.
public struct IntervalChart: Sendable {
    /// One value.
    public struct Row: Sendable {
        /// What the value belongs to.
        public var label: String
        /// The value.
        public var value: Double
        /// The range around it; nil for none.
        public var interval: ClosedRange<Double>?
        /// The value and its interval in words, at the right.
        public var note: String
        /// Whether the row sums up others: drawn heavier.
        public var isSummary: Bool

        fileprivate var weight: String { isSummary ? "heading" : "row" }

        /// A value with its interval.
        public init(
            _ label: String, value: Double, interval: ClosedRange<Double>?, note: String, isSummary: Bool = false
        ) {
            (self.label, self.value, self.interval, self.note) = (label, value, interval, note)
            self.isSummary = isSummary
        }
    }

    /// Rows that belong together, under a heading.
    public struct Group: Sendable {
        /// The heading.
        public var name: String
        /// The rows.
        public var rows: [Row]

        /// The rows under the heading `name`.
        public init(_ name: String, rows: [Row]) { (self.name, self.rows) = (name, rows) }
    }

    /// What the chart shows, in words, for readers who cannot see it.
    public var title: String
    /// The axis of the values.
    public var axis: ChartAxis
    /// What values left and right of zero mean.
    public var sides: (negative: String, positive: String)
    /// The rows.
    public var groups: [Group]
    /// Whether each group has one row, which needs no heading: it is named by the group.
    public var isFlat = false

    /// A chart of `groups`.
    public init(_ title: String, axis: ChartAxis, sides: (negative: String, positive: String), groups: [Group]) {
        (self.title, self.axis, self.sides, self.groups) = (title, axis, sides, groups)
    }

    /// The chart as an SVG element that can stand in an HTML page.
    public var svg: String {
        let (rowHeight, headingHeight, top) = (28.0, isFlat ? 0 : 32.0, 30.0)
        let rows = groups.reduce(0) { $0 + $1.rows.count }
        let bottom = top + Double(rows) * rowHeight + Double(groups.count) * headingHeight
        var drawing = ChartDrawing(title: title, width: 720, height: bottom + 50)
        let values = groups.flatMap(\.rows).flatMap {
            [$0.value, $0.interval?.lowerBound ?? $0.value, $0.interval?.upperBound ?? $0.value]
        }
        var axis = axis
        axis.mustInclude.append(0)
        // Room for names, at about 7.5 a letter.
        let left = isFlat ? min(300, max(150, 20 + 7.5 * Double(groups.map(\.name.count).max() ?? 0))) : 150
        let x = axis.laidOut(over: left...500, data: values)

        for tick in x.ticks {
            drawing.line(from: (x(tick.value), top), to: (x(tick.value), bottom), style: "grid")
            drawing.text(tick.label, at: (x(tick.value), bottom + 20), anchor: .middle, style: "tick")
        }
        drawing.line(from: (x(0), top - 6), to: (x(0), bottom), style: "zero")
        drawing.text("← \(sides.negative)", at: (x(0) - 8, top - 14), anchor: .end, style: "side")
        drawing.text("\(sides.positive) →", at: (x(0) + 8, top - 14), style: "side")
        drawing.text(axis.label, at: ((left + 500) / 2, bottom + 42), anchor: .middle, style: "name")

        var y = top
        for (index, group) in groups.enumerated() {
            let style = "s\(index % HTMLPage.seriesColors)"
            let baseline = isFlat ? rowHeight / 2 + 4.5 : headingHeight / 2 + 6
            drawing.text(group.name, at: (8, y + baseline), style: "heading")
            y += headingHeight
            for row in group.rows {
                let middle = y + rowHeight / 2
                if !isFlat { drawing.text(row.label, at: (138, middle + 4.5), anchor: .end, style: row.weight) }
                draw(row, at: middle, style: style + (row.isSummary ? " summary" : ""), x, &drawing)
                y += rowHeight
            }
        }
        return drawing.svg
    }

    private func draw(
        _ row: Row, at y: Double, style: String, _ x: ChartAxis.Layout, _ drawing: inout ChartDrawing
    ) {
        drawing.text(row.note, at: (516, y + 4.5), style: "\(row.weight) number")
        if let interval = row.interval {
            drawing.line(from: (x(interval.lowerBound), y), to: (x(interval.upperBound), y), style: "whisker \(style)")
        }
        drawing.dot(
            at: (x(row.value), y), radius: row.isSummary ? 6 : 4.5, style: style, tooltip: "\(row.label): \(row.note)")
    }
}
