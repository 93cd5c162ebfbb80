/// The shapes that charts are drawn with, collected as SVG.
struct ChartDrawing {
    /// A rectangle.
    struct Frame {
        var left, top, right, bottom: Double
    }

    /// A place on the drawing; y runs downwards.
    typealias Place = (x: Double, y: Double)

    /// Where a text's anchor lies in it.
    enum Anchor: String {
        case start, middle, end
    }

    private let title: String
    private let width: Double
    private let height: Double
    private var elements: [String] = []

    init(title: String, width: Double, height: Double) {
        (self.title, self.width, self.height) = (title, width, height)
    }

    /// The drawing as an element of a page: as wide as its column, with a description for screen readers. On a phone it stays
    /// wide enough to be read, and moves sideways under the finger.
    var svg: String {
        """
        <div class="wide"><svg class="chart" viewBox="0 0 \(Markup.coordinate(width)) \(Markup.coordinate(height))" role="img" \
        aria-label="\(Markup.escaped(title))" xmlns="http://www.w3.org/2000/svg">
        \(elements.joined(separator: "\n"))
        </svg></div>
        """
    }

    mutating func line(from start: Place, to end: Place, style: String) {
        elements.append(
            "<line class=\"\(style)\" x1=\"\(c(start.x))\" y1=\"\(c(start.y))\" x2=\"\(c(end.x))\" y2=\"\(c(end.y))\"/>"
        )
    }

    mutating func polyline(_ places: [Place], style: String) {
        elements.append("<polyline class=\"\(style)\" points=\"\(points(places))\"/>")
    }

    mutating func polygon(_ places: [Place], style: String) {
        elements.append("<polygon class=\"\(style)\" points=\"\(points(places))\"/>")
    }

    mutating func dot(at place: Place, radius: Double = 4.5, style: String, tooltip: String) {
        elements.append(
            """
            <circle class="dot \(style)" cx="\(c(place.x))" cy="\(c(place.y))" r="\(c(radius))">\
            <title>\(Markup.escaped(tooltip))</title></circle>
            """)
    }

    mutating func text(
        _ text: String, at place: Place, anchor: Anchor = .start, style: String = "", turned: Bool = false
    ) {
        let turn = turned ? " transform=\"rotate(-90 \(c(place.x)) \(c(place.y)))\"" : ""
        elements.append(
            """
            <text class="\(style)" x="\(c(place.x))" y="\(c(place.y))" text-anchor="\(anchor.rawValue)"\(turn)>\
            \(Markup.escaped(text))</text>
            """)
    }

    /// Names with a stroke of their style, from left to right along the top.
    mutating func legend(_ entries: [(name: String, style: String)]) {
        var x = 62.0
        for (name, style) in entries {
            line(from: (x, 16), to: (x + 22, 16), style: "line \(style)")
            text(name, at: (x + 29, 20.5), style: "legend")
            // No font metrics here: 7.4 units for a character of 13 is generous.
            x += 29 + 7.4 * Double(name.count) + 22
        }
    }

    /// Horizontal grid lines with their values, marks below, and the names of both axes.
    mutating func grid(
        _ frame: Frame, x: ChartAxis.Layout, y: ChartAxis.Layout, xLabel: String, yLabel: String
    ) {
        for tick in y.ticks {
            line(from: (frame.left, y(tick.value)), to: (frame.right, y(tick.value)), style: "grid")
            text(tick.label, at: (frame.left - 8, y(tick.value) + 4.5), anchor: .end, style: "tick")
        }
        line(from: (frame.left, frame.bottom), to: (frame.right, frame.bottom), style: "axis")
        for tick in x.ticks {
            line(from: (x(tick.value), frame.bottom), to: (x(tick.value), frame.bottom + 5), style: "axis")
            text(tick.label, at: (x(tick.value), frame.bottom + 20), anchor: .middle, style: "tick")
        }
        text(xLabel, at: ((frame.left + frame.right) / 2, frame.bottom + 44), anchor: .middle, style: "name")
        text(yLabel, at: (16, (frame.top + frame.bottom) / 2), anchor: .middle, style: "name", turned: true)
    }

    private func c(_ value: Double) -> String { Markup.coordinate(value) }

    private func points(_ places: [Place]) -> String {
        places.map { "\(c($0.x)),\(c($0.y))" }.joined(separator: " ")
    }
}
