/// Lines over a common axis, each with an optional band around it, as inline SVG.
///
/// Colors come from the page's style (``HTMLPage``), so that they follow light and dark mode. Every point has a tooltip.
public struct LineChart: Sendable {
    /// A point of a line.
    public struct Point: Sendable {
        /// Along the horizontal axis.
        public var x: Double
        /// Along the vertical axis.
        public var y: Double
        /// The band around the point; nil for none.
        public var band: ClosedRange<Double>?

        /// A point with the band around it.
        public init(x: Double, y: Double, band: ClosedRange<Double>? = nil) {
            (self.x, self.y, self.band) = (x, y, band)
        }
    }

    /// A line.
    public struct Series: Sendable {
        /// The name in the legend.
        public var name: String
        /// The points from left to right; those that are not finite interrupt the line.
        public var points: [Point]
        /// Whether each point is marked, for lines of few points.
        public var hasMarkers: Bool
        /// Whether it is drawn in the neutral color of a baseline.
        public var isBaseline: Bool

        /// The line through `points`.
        public init(_ name: String, points: [Point], hasMarkers: Bool = false, isBaseline: Bool = false) {
            (self.name, self.points, self.hasMarkers, self.isBaseline) = (name, points, hasMarkers, isBaseline)
        }
    }

    /// What the chart shows, in words, for readers who cannot see it.
    public var title: String
    /// The horizontal axis.
    public var xAxis: ChartAxis
    /// The vertical axis.
    public var yAxis: ChartAxis
    /// The lines.
    public var series: [Series]

    /// A chart of `series`.
    public init(_ title: String, xAxis: ChartAxis, yAxis: ChartAxis, series: [Series]) {
        (self.title, self.xAxis, self.yAxis, self.series) = (title, xAxis, yAxis, series)
    }

    /// The chart as an SVG element that can stand in an HTML page.
    public var svg: String {
        var drawing = ChartDrawing(title: title, width: 720, height: 380)
        drawing.legend(legendEntries)
        let finite = series.flatMap(\.points).filter { $0.x.isFinite && $0.y.isFinite }
        let plot = ChartDrawing.Frame(left: 62, top: 40, right: 704, bottom: 324)
        let inset = series.contains(where: \.hasMarkers) ? 24.0 : 0
        let x = xAxis.laidOut(over: plot.left + inset...plot.right - inset, data: finite.map(\.x))
        let y = yAxis.laidOut(
            over: plot.top...plot.bottom, reversed: true,
            data: finite.flatMap { [$0.y, $0.band?.lowerBound ?? $0.y, $0.band?.upperBound ?? $0.y] })
        drawing.grid(plot, x: x, y: y, xLabel: xAxis.label, yLabel: yAxis.label)
        for (line, style) in zip(series, styles) { drawBand(of: line, style, x, y, &drawing) }
        for (line, style) in zip(series, styles) { drawLine(of: line, style, x, y, &drawing) }
        return drawing.svg
    }

    /// The style class of each line: `base` for a baseline, `s0`, `s1`, ... for the others.
    private var styles: [String] {
        var next = 0
        return series.map { line in
            if line.isBaseline { return "base" }
            defer { next += 1 }
            return "s\(next % HTMLPage.seriesColors)"
        }
    }

    private var legendEntries: [(name: String, style: String)] {
        series.count > 1 ? zip(series, styles).map { ($0.name, $1) } : []
    }

    /// The stretches of a line without a gap.
    private func stretches(of line: Series) -> [ArraySlice<Point>] {
        line.points.split { !$0.x.isFinite || !$0.y.isFinite }
    }

    private func drawBand(
        of line: Series, _ style: String, _ x: ChartAxis.Layout, _ y: ChartAxis.Layout, _ drawing: inout ChartDrawing
    ) {
        for stretch in stretches(of: line) {
            let banded = stretch.filter { $0.band != nil }
            if banded.count >= 2 {
                let upper = banded.map { (x($0.x), y($0.band!.upperBound)) }
                let lower = banded.reversed().map { (x($0.x), y($0.band!.lowerBound)) }
                drawing.polygon(upper + lower, style: "band \(style)")
            } else if let point = banded.first, let band = point.band {
                drawing.line(
                    from: (x(point.x), y(band.lowerBound)), to: (x(point.x), y(band.upperBound)),
                    style: "whisker \(style)")
            }
        }
    }

    private func drawLine(
        of line: Series, _ style: String, _ x: ChartAxis.Layout, _ y: ChartAxis.Layout, _ drawing: inout ChartDrawing
    ) {
        for stretch in stretches(of: line) {
            if stretch.count > 1 { drawing.polyline(stretch.map { (x($0.x), y($0.y)) }, style: "line \(style)") }
            guard line.hasMarkers || stretch.count == 1 else { continue }
            for point in stretch {
                let band =
                    point.band.map { " (\(Markup.digits($0.lowerBound)) to \(Markup.digits($0.upperBound)))" } ?? ""
                drawing.dot(
                    at: (x(point.x), y(point.y)), style: style,
                    tooltip: "\(line.name), \(Markup.digits(point.x)): \(Markup.digits(point.y))\(band)")
            }
        }
    }
}
