/// A self-contained page: no script, no font, no image from elsewhere, readable in light and dark mode and on paper.
public struct HTMLPage: Sendable {
    /// The number of colors for lines; further lines start over.
    public static let seriesColors = 6

    /// The title, shown as the heading too.
    public var title: String
    /// A line below the heading.
    public var subtitle: String
    /// The page's sections, as HTML.
    public var sections: [String]

    /// A page of `sections`, which are HTML already; title and subtitle are text.
    public init(title: String, subtitle: String, sections: [String] = []) {
        (self.title, self.subtitle, self.sections) = (title, subtitle, sections)
    }

    /// Adds a section under a heading; an empty heading gives none.
    public mutating func add(section heading: String, _ html: String) {
        let headingElement = heading.isEmpty ? "" : "<h2>\(Markup.escaped(heading))</h2>\n"
        sections.append("<section>\n\(headingElement)\(html)\n</section>")
    }

    /// A table as HTML.
    /// - Parameter numeric: the columns that are aligned to the right.
    public static func table(columns: [String], rows: [[String]], numeric: Set<Int> = []) -> String {
        func row(_ cells: [String], _ tag: String) -> String {
            "<tr>"
                + cells.enumerated().map { index, cell in
                    "<\(tag)\(numeric.contains(index) ? " class=\"number\"" : "")>\(Markup.escaped(cell))</\(tag)>"
                }.joined() + "</tr>"
        }
        return """
            <div class="scroll"><table>
            <thead>\(row(columns, "th"))</thead>
            <tbody>
            \(rows.map { row($0, "td") }.joined(separator: "\n"))
            </tbody>
            </table></div>
            """
    }

    /// The whole page.
    public var html: String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8"/>
        <meta name="viewport" content="width=device-width, initial-scale=1"/>
        <meta name="color-scheme" content="light dark"/>
        <title>\(Markup.escaped(title))</title>
        <style>
        \(Self.style)
        </style>
        </head>
        <body>
        <main>
        <header>
        <h1>\(Markup.escaped(title))</h1>
        <p class="subtitle">\(Markup.escaped(subtitle))</p>
        </header>
        \(sections.joined(separator: "\n"))
        </main>
        </body>
        </html>

        """
    }

    /// Colors are chosen to be told apart with any color vision, on white and on dark gray.
    private static let style = """
        :root { --paper: #ffffff; --ink: #1c2024; --soft: #60646c; --rule: #e2e5e9; --panel: #f6f7f9;
          --base: #6b7280; --s0: #0b6bcb; --s1: #c2500a; --s2: #12805c; --s3: #8e44ad; --s4: #a8720a; --s5: #b3235a;
          --good: #12805c; --bad: #b3235a; }
        @media (prefers-color-scheme: dark) {
          :root { --paper: #16181b; --ink: #eceef0; --soft: #9ba1a8; --rule: #2c3035; --panel: #1f2226;
            --base: #9aa1ab; --s0: #5ab0ff; --s1: #ff9a57; --s2: #4ccba0; --s3: #cf9bea; --s4: #e3b341; --s5: #ff7aa8;
            --good: #4ccba0; --bad: #ff7aa8; } }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--paper); color: var(--ink);
          font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
        main { max-width: 960px; margin: 0 auto; padding: 48px 24px 80px; }
        h1 { font-size: 1.9rem; line-height: 1.2; margin: 0; letter-spacing: -0.015em; }
        h2 { font-size: 1.15rem; margin: 48px 0 12px; }
        p { margin: 8px 0; max-width: 46em; }
        .subtitle, .note { color: var(--soft); }
        .note { font-size: 0.875rem; }
        .verdict { border-left: 4px solid var(--base); background: var(--panel); padding: 12px 18px; margin: 16px 0;
          border-radius: 0 6px 6px 0; }
        .verdict strong { display: block; font-size: 1.1rem; }
        .verdict.good { border-color: var(--good); } .verdict.bad { border-color: var(--bad); }
        .scroll { overflow-x: auto; }
        table { border-collapse: collapse; font-size: 0.8125rem; width: 100%; }
        th { text-align: left; color: var(--soft); font-weight: 500; border-bottom: 1px solid var(--soft); }
        th, td { padding: 6px 12px 6px 0; vertical-align: baseline; white-space: nowrap; }
        td { border-bottom: 1px solid var(--rule); }
        .number { text-align: right; font-variant-numeric: tabular-nums; }
        pre { background: var(--panel); padding: 14px 18px; border-radius: 6px; overflow-x: auto; font-size: 0.8rem; }
        summary { cursor: pointer; color: var(--soft); }
        dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 24px; font-size: 0.875rem; margin: 0; }
        dt { color: var(--soft); } dd { margin: 0; }
        img { max-width: 100%; border-radius: 4px; image-rendering: pixelated; }
        .case { margin: 24px 0; break-inside: avoid; }
        .pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 12px; }
        figure { margin: 0; } figure img { display: block; width: 100%; height: auto; }
        figcaption { font-size: 0.8125rem; color: var(--soft); margin-top: 4px; }
        .chart { display: block; width: 100%; max-width: 820px; height: auto; font-size: 13px; fill: var(--ink); }
        .chart .grid { stroke: var(--rule); } .chart .axis, .chart .zero { stroke: var(--soft); }
        .chart .tick, .chart .side { fill: var(--soft); font-size: 12px; } .chart .name { fill: var(--soft); }
        .chart .heading { font-weight: 600; } .chart .number { font-variant-numeric: tabular-nums; font-size: 12.5px; }
        .chart .line { fill: none; stroke: var(--c); stroke-width: 2.2; stroke-linejoin: round; stroke-linecap: round; }
        .chart .line.base { stroke-dasharray: 6 5; }
        .chart .band { fill: var(--c); fill-opacity: 0.13; stroke: none; }
        .chart .whisker { stroke: var(--c); stroke-width: 2.2; stroke-linecap: round; }
        .chart .whisker.summary { stroke-width: 4; }
        .chart .dot { fill: var(--c); stroke: var(--paper); stroke-width: 1.5; }
        .base { --c: var(--base); } .s0 { --c: var(--s0); } .s1 { --c: var(--s1); } .s2 { --c: var(--s2); }
        .s3 { --c: var(--s3); } .s4 { --c: var(--s4); } .s5 { --c: var(--s5); }
        @media (max-width: 600px) { main { padding: 24px 16px 48px; } h1 { font-size: 1.5rem; } h2 { margin-top: 36px; }
          .wide { overflow-x: auto; } .wide .chart { min-width: 560px; }
          dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: 10px; overflow-wrap: anywhere; } }
        @media print { :root { --paper: #ffffff; --ink: #1c2024; --soft: #60646c; --rule: #e2e5e9; --panel: #f6f7f9; }
          .scroll { overflow: visible; } table { font-size: 0.7rem; } th, td { padding-right: 8px; } main { padding: 0; max-width: none; } section { break-inside: avoid; } }
        """
}
