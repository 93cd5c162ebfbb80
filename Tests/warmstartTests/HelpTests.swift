import Foundation
import Testing

@Suite("Help")
struct HelpTests {
    private static let fixtures = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/help")

    /// Every command, found by walking the lists of subcommands, compared with `Tests/Fixtures/help/COMMAND.txt`.
    /// With `WARMSTART_UPDATE_HELP=1` the files are written instead.
    @Test("of every command is as recorded and shows an example")
    func snapshots() async throws {
        let isUpdating = ProcessInfo.processInfo.environment["WARMSTART_UPDATE_HELP"] != nil
        var commands: [[String]] = [[]]
        var seen: Set<String> = []
        while let command = commands.popLast() {
            let outcome = try await Tool.run(command + ["--help"])
            let children = Self.subcommands(in: outcome.output)
            #expect(outcome.status == 0)
            #expect(!children.isEmpty || outcome.output.contains("Example"), "\(command) has no example")
            let name = (["warmstart"] + command).joined(separator: "-")
            seen.insert("\(name).txt")
            let file = Self.fixtures.appending(path: "\(name).txt")
            if isUpdating {
                try FileManager.default.createDirectory(at: Self.fixtures, withIntermediateDirectories: true)
                try Data(outcome.output.utf8).write(to: file)
            } else {
                let recorded = try? String(contentsOf: file, encoding: .utf8)
                #expect(
                    outcome.output == recorded,
                    "the help of \(name) changed; record it with WARMSTART_UPDATE_HELP=1 if it should")
            }
            commands += children.map { command + [$0] }
        }
        #expect(seen.count > 5)
        let recorded = try FileManager.default.contentsOfDirectory(atPath: Self.fixtures.path)
        #expect(Set(recorded) == seen, "help of commands that are gone, or not recorded")
    }

    @Test("is what the tool prints when asked nothing")
    func noArguments() async throws {
        let outcome = try await Tool.run()
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("USAGE: warmstart <subcommand>"))
    }

    @Test("has a version beside it")
    func version() async throws {
        #expect(try await Tool.run("--version").output.split(separator: ".").count == 3)
    }

    /// The first word of each line in a list of subcommands that is indented by two.
    private static func subcommands(in help: String) -> [String] {
        var names: [String] = []
        var isInList = false
        for line in help.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasSuffix("SUBCOMMANDS:") {
                isInList = true
            } else if line.isEmpty {
                isInList = false
            } else if isInList, line.hasPrefix("  "), !line.hasPrefix("   "),
                let word = line.split(separator: " ").first
            {
                names.append(String(word))
            }
        }
        return names
    }
}
