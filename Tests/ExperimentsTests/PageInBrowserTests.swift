import Experiments
import Foundation
import Testing

/// A browser that can run without a screen.
private enum Browser {
    static let path: String? = ["chromium", "chromium-browser", "google-chrome"].lazy
        .flatMap { name in
            (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(name)" }
        }.first { FileManager.default.isExecutableFile(atPath: $0) }

    /// Opens a page and returns what the browser prints.
    static func open(_ page: String, width: Int, _ arguments: [String]) throws -> String {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: try #require(path))
        process.arguments =
            ["--headless", "--no-sandbox", "--hide-scrollbars", "--window-size=\(width),1200"] + arguments
            + ["file://\(page)"]
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let text = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return String(decoding: text, as: UTF8.self)
    }
}

@Suite("Page in a browser", .enabled(if: Browser.path != nil, "no Chromium is installed"))
struct PageInBrowserTests {
    private let folder = TemporaryFolder()

    @Test("fits the width of screens and phones, and can be photographed", arguments: [1100, 500])
    func screenshot(width: Int) throws {
        var run = ComparisonRun(try Comparison.small(), folder: folder.path)
        run.bootstrap.repetitions = 100
        _ = try run.run(with: FakeRunner(), resume: false)
        let page = "\(folder.path)/index.html"

        // The width that the content takes becomes the title of a copy.
        let measuring =
            "<script>document.title = 'wide ' + document.documentElement.scrollWidth + ' end'</script></body>"
        let copy = "\(folder.path)/measured.html"
        try String(contentsOfFile: page, encoding: .utf8).replacing("</body>", with: measuring)
            .write(toFile: copy, atomically: true, encoding: .utf8)
        let document = try Browser.open(copy, width: width, ["--dump-dom"])
        let title = try #require(document.firstMatch(of: /<title>wide (\d+) end<\/title>/))
        #expect(try #require(Int(title.1)) <= width)

        let picture = "\(folder.path)/page.png"
        _ = try Browser.open(page, width: width, ["--screenshot=\(picture)"])
        let bytes = try Data(contentsOf: URL(filePath: picture))
        #expect(bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]))
        // An empty page compresses to next to nothing.
        #expect(bytes.count > 20_000)
    }
}
