import Evaluation
import Experiments
import Foundation
import FoundationXML
import Testing

@Suite("Page of a comparison")
struct ComparisonPageTests {
    private let folder = TemporaryFolder()

    private func page(_ comparison: Comparison, _ runner: FakeRunner) throws -> String {
        var run = ComparisonRun(comparison, folder: folder.path)
        run.bootstrap.repetitions = 100
        _ = try? run.run(with: runner, resume: true)
        return try String(contentsOfFile: "\(folder.path)/index.html", encoding: .utf8)
    }

    /// The page is written so that it is XML too: a parser finds any tag left open and any unescaped character.
    private func expectWellFormed(_ html: String) {
        let parser = XMLParser(data: Data(html.utf8))
        #expect(parser.parse(), "line \(parser.lineNumber): \(String(describing: parser.parserError))")
    }

    @Test("is well-formed when finished, unfinished, and with nothing to compare", arguments: [8, 1, 2])
    func wellFormed(stopsAfter: Int) throws {
        expectWellFormed(try page(try Comparison.small(), FakeRunner(stopsAfter: stopsAfter)))
    }

    @Test("is well-formed without any score")
    func noScores() throws {
        expectWellFormed(try page(try Comparison.small(), FakeRunner { _, _ in [.nan, .nan] }))
    }

    @Test("escapes names that look like markup")
    func escapes() throws {
        let comparison = try Comparison.small(classNames: ["<b>&\"'", "plain"], recipe: "a: <script>alert(1)</script>")
        let html = try page(comparison, FakeRunner())
        expectWellFormed(html)
        #expect(!html.contains("<script"))
        #expect(html.contains("&lt;b&gt;&amp;&quot;&#39;"))
    }

    @Test("needs nothing from elsewhere")
    func selfContained() throws {
        let html = try page(try Comparison.small(), FakeRunner())
        let addresses = html.replacing("http://www.w3.org/2000/svg", with: "")
        for word in ["http:", "https:", "<script", "@import", "url(", "<link"] {
            #expect(!addresses.contains(word), "the page contains \(word)")
        }
    }

    @Test("of many rows and one size: a named line a row, few labels of places, no curve of a point")
    func manyRows() throws {
        let rows = (1...11).map { Initialization(name: "row \($0)") }
        let html = try page(try Comparison.small(initializations: [.scratch] + rows, sizes: [4]), FakeRunner())
        expectWellFormed(html)
        #expect(html.contains("Undecided, for it takes 3 training runs per point: row 1, row 2"))
        #expect(!html.contains("by number of training cases") && !html.contains(">4 cases<"))
        #expect(html.components(separatedBy: "class=\"whisker").count == 1 + rows.count)
        for row in rows { #expect(html.contains("text-anchor=\"start\">\(row.name)<"), "\(row.name)") }
        for label in ["place 1", "5", "10"] { #expect(html.contains("text-anchor=\"middle\">\(label)<"), "\(label)") }
        #expect(!html.contains(">place 2<"))
    }

    @Test("says the verdict, draws a line per initialization and a row per difference")
    func content() throws {
        let html = try page(try Comparison.small(), FakeRunner())
        #expect(html.contains("Undecided whether S3D helped"))
        #expect(html.components(separatedBy: "<polyline").count == 3)
        // Both sizes and their mean.
        #expect(html.components(separatedBy: "class=\"whisker s0").count == 4)
        #expect(html.contains("+0.015 [−0.050, +0.055]"))
        #expect(!html.contains("nan"))
        // In c00 S3D gains in one of two classes, in c05 it loses in the only one: scratch is first over both.
        #expect(html.contains("first in"))
    }
}
