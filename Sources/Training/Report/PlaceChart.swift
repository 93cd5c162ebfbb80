/// How often each of several methods took each place of a ranking, as inline SVG: dots whose areas are the shares.
public struct PlaceChart: Sendable {
    /// A method.
    public struct Row: Sendable {
        /// Its name.
        public var label: String
        /// The share of each place, the first place first.
        public var shares: [Double]
        /// What stands at the right.
        public var note: String
        /// Whether it is drawn in the neutral color of a baseline.
        public var isBaseline: Bool

        /// A method with the share of each place.
        public init(_ label: String, shares: [Double], note: String, isBaseline: Bool = false) {
            (self.label, self.shares, self.note, self.isBaseline) = (label, shares, note, isBaseline)
        }
    }

    /// What the chart shows, in words, for readers who cannot see it.
    public var title: String
    /// The methods.
    public var rows: [Row]

    /// A chart of `rows`.
    public init(_ title: String, rows: [Row]) { (self.title, self.rows) = (title, rows) }

    /// The chart as an SVG element that can stand in an HTML page.
    public var svg: String {
        let places = rows.map(\.shares.count).max() ?? 0
        let (top, left, right) = (40.0, 200.0, 500.0)
        // Many places get smaller dots and a label every five.
        let isDense = places > 8
        let largest = min(20, isDense ? (right - left) / Double(places) : 20)
        let rowHeight = 2 * largest + 8
        var drawing = ChartDrawing(title: title, width: 720, height: top + Double(rows.count) * rowHeight + 8)
        func x(_ place: Int) -> Double { left + (Double(place) + 0.5) * (right - left) / Double(max(1, places)) }
        for place in 0..<places where !isDense || place == 0 || (place + 1) % 5 == 0 {
            let label = isDense && place > 0 ? "\(place + 1)" : "place \(place + 1)"
            drawing.text(label, at: (x(place), top - 18), anchor: .middle, style: "tick")
        }
        var next = 0
        for (index, row) in rows.enumerated() {
            let y = top + (Double(index) + 0.5) * rowHeight
            let style = row.isBaseline ? "base" : "s\(next % HTMLPage.seriesColors)"
            if !row.isBaseline { next += 1 }
            drawing.line(from: (left, y), to: (right, y), style: "grid")
            drawing.text(row.label, at: (left - 16, y + 4.5), anchor: .end, style: "row")
            for (place, share) in row.shares.enumerated() where share > 0 {
                drawing.dot(
                    at: (x(place), y), radius: largest * share.squareRoot(), style: style,
                    tooltip: "\(row.label), place \(place + 1): \(Markup.digits(100 * share)) %")
            }
            drawing.text(row.note, at: (right + 16, y + 4.5), style: "row number")
        }
        return drawing.svg
    }
}
