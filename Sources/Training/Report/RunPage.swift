import Foundation

/// A run as one page: curves, pictures, settings.
struct RunPage {
    let title: String
    let recipe: ResolvedRecipe
    let log: [LogEntry]
    /// Steps of the whole schedule.
    let steps: Int
    /// Time that the steps so far took.
    let seconds: Double
    let previews: [Preview]

    /// More points of a line than this cannot be told apart.
    private static let mostPoints = 500

    var html: String {
        var page = HTMLPage(title: title, subtitle: summary)
        page.add(section: "Loss", chart("Loss", "loss", [("loss", \.loss)] + lossParts))
        if !validated.isEmpty { page.add(section: "Validation", validated.joined(separator: "\n")) }
        if !previews.isEmpty { page.add(section: "Slices", previews.map(Self.figure).joined(separator: "\n")) }
        page.add(section: "Learning rate", chart("Learning rate", "learning rate", [("learning rate", \.learningRate)]))
        page.add(
            section: "Gradient norm",
            "\(chart("Gradient norm", "norm before clipping", [("norm", \.gradientNorm)]))\n<p class=\"note\">\(clipped)</p>"
        )
        page.add(
            section: "Settings",
            HTMLPage.table(
                columns: ["Key", "Value"], rows: recipe.withoutFolders.flattened.map { [$0.key, $0.value] }))
        return page.html
    }

    private var summary: String {
        let made = (log.last?.step ?? -1) + 1
        let loss = log.last { $0.loss != nil }?.loss.map { String(format: ", loss %.4g", $0) } ?? ""
        return "\(made) of \(steps) steps in \(Progress.duration(seconds))\(loss)"
    }

    private var clipped: String {
        let steps = log.filter { $0.gradientNorm != nil }
        return "Clipped in \(steps.count { $0.clipping != nil }) of \(steps.count) logged steps."
    }

    private typealias Quantity = (name: String, value: (LogEntry) -> Double?)

    private var lossParts: [Quantity] {
        Set(log.suffix(100).flatMap { $0.parts.map { Array($0.keys) } ?? [] }).sorted().map { name in
            (name, { $0.parts?[name] })
        }
    }

    private var validated: [String] {
        Set(log.flatMap { $0.validation.map { Array($0.keys) } ?? [] }).sorted().map { name in
            chart(name, name, [(name, { $0.validation?[name] })])
        }
    }

    private func chart(_ title: String, _ unit: String, _ quantities: [Quantity]) -> String {
        let series = quantities.map { name, value in
            let points = log.compactMap { entry in value(entry).map { LineChart.Point(x: Double(entry.step), y: $0) } }
            return LineChart.Series(name, points: Self.thinned(points))
        }
        return LineChart(title, xAxis: ChartAxis("step"), yAxis: ChartAxis(unit), series: series).svg
    }

    /// Neighbouring points averaged until few enough are left.
    private static func thinned(_ points: [LineChart.Point]) -> [LineChart.Point] {
        let group = (points.count + mostPoints - 1) / mostPoints
        guard group > 1 else { return points }
        return stride(from: 0, to: points.count, by: group).map { start in
            let part = points[start..<min(start + group, points.count)]
            let count = Double(part.count)
            return LineChart.Point(
                x: part.map(\.x).reduce(0, +) / count, y: part.map(\.y).reduce(0, +) / count)
        }
    }

    private static func figure(_ preview: Preview) -> String {
        let title = Markup.escaped(preview.title)
        let images = preview.images.map { picture in
            "<img alt=\"\(title)\" width=\"200\" src=\"data:image/png;base64,\(picture.png.base64EncodedString())\">"
        }
        return "<p class=\"note\">\(title)</p>\n<p>\(images.joined(separator: "\n"))</p>"
    }
}
