import Foundation
import Testing

/// The built tool, run as a user runs it.
enum Tool {
    /// What a run of the tool left.
    struct Outcome: Sendable {
        var status: Int32
        var output: String
        var errors: String
    }

    struct NotBuilt: Error, CustomStringConvertible {
        var description: String {
            "the tool warmstart is not beside the tests; build it, or name it in WARMSTART_TOOL"
        }
    }

    /// The tool lies where the package's tests were built to; `WARMSTART_TOOL` overrides it.
    static func path() throws -> String {
        let environment = ProcessInfo.processInfo.environment
        let test = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let folders = [test, CommandLine.arguments.first, Bundle.main.executablePath].compactMap(\.self)
            .map { URL(filePath: $0).deletingLastPathComponent() }
        let candidates =
            [environment["WARMSTART_TOOL"]].compactMap(\.self) + folders.map { $0.appending(path: "warmstart").path }
        guard let path = candidates.first(where: FileManager.default.isExecutableFile(atPath:)) else {
            throw NotBuilt()
        }
        return path
    }

    /// Starts the tool, silent, and does not wait for it.
    static func start(_ arguments: [String]) throws -> Process {
        let process = Process()
        process.executableURL = URL(filePath: try path())
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        return process
    }

    /// What the tool prints; a run that fails ends the test with what it said.
    static func succeed(_ arguments: [String]) async throws -> String {
        let outcome = try await run(arguments)
        try #require(outcome.status == 0, "\(outcome.errors)")
        return outcome.output
    }

    /// Runs the tool to its end.
    static func run(_ arguments: String..., in folder: String? = nil) async throws -> Outcome {
        try await run(arguments, in: folder)
    }

    /// Runs the tool to its end.
    /// - Parameters:
    ///   - launcher: a program that starts the tool, and what to tell it; none: the tool itself.
    ///   - environment: variables beside those of the tests.
    static func run(
        _ arguments: [String], in folder: String? = nil, launcher: [String] = [], environment: [String: String] = [:]
    ) async throws -> Outcome {
        let process = Process()
        let words = launcher + [try path()] + arguments
        process.executableURL = URL(filePath: words[0])
        process.arguments = Array(words.dropFirst())
        if let folder { process.currentDirectoryURL = URL(filePath: folder) }
        // Help is wrapped to the terminal's width.
        process.environment = ProcessInfo.processInfo.environment.merging(["COLUMNS": "80"]) { $1 }
            .merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        // Files, not pipes: a pipe that nobody empties stops the tool.
        let scratch = TemporaryFolder()
        let (output, errors) = (try scratch.file("output"), try scratch.file("errors"))
        (process.standardOutput, process.standardError) = (output, errors)
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            process.terminationHandler = { _ in continuation.resume() }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
        func text(_ file: FileHandle) throws -> String {
            try file.seek(toOffset: 0)
            return String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
        }
        return Outcome(status: process.terminationStatus, output: try text(output), errors: try text(errors))
    }
}

/// Runs the tool and expects it to fail with a status and a message of one or two lines.
func expectFailure(
    _ arguments: String..., exits status: Int32, says words: String..., in folder: String? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
) async throws {
    let outcome = try await Tool.run(arguments, in: folder)
    #expect(outcome.status == status, "\(outcome.errors)", sourceLocation: sourceLocation)
    #expect(outcome.output.isEmpty, sourceLocation: sourceLocation)
    for word in words {
        #expect(outcome.errors.contains(word), "\(outcome.errors)", sourceLocation: sourceLocation)
    }
    if outcome.errors.hasPrefix("warmstart:") {
        #expect(outcome.errors.split(separator: "\n").count <= 2, "\(outcome.errors)", sourceLocation: sourceLocation)
    }
}

/// A folder that is removed with the value.
final class TemporaryFolder {
    let path: String

    init() {
        path = FileManager.default.temporaryDirectory.appending(path: "warmstart-\(UUID().uuidString)").path
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// A new file, open to write and read.
    func file(_ name: String) throws -> FileHandle {
        _ = FileManager.default.createFile(atPath: "\(path)/\(name)", contents: nil)
        return try FileHandle(forUpdating: URL(filePath: "\(path)/\(name)"))
    }

    /// Whether nothing is in it.
    var isEmpty: Bool { (try? FileManager.default.contentsOfDirectory(atPath: path).isEmpty) ?? true }
}
