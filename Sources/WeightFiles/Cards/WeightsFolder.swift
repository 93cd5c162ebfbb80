import Foundation
import Tensors

/// A folder of published weights, which can be called by their names.
public struct WeightsFolder: Sendable {
    /// The folder.
    public let path: String
    /// What lies in it.
    public let index: WeightsIndex

    /// The folder at `path`, with its index; an empty one where there is none.
    /// - Throws: ``WeightsIndexError``.
    public init(_ path: String) throws {
        self.path = path
        index = try WeightsIndex(ofFolder: path)
    }

    /// The weights that come with the suite: those of the folder that the variable `WARMSTART_WEIGHTS` names, else of `Weights`
    /// in the current folder, else of `Weights` beside the program or above; nil if there is none.
    /// - Throws: ``WeightsIndexError``.
    public static func find() throws -> WeightsFolder? {
        func hasIndex(_ folder: String) -> Bool {
            FileManager.default.fileExists(atPath: "\(folder)/\(WeightsIndex.fileName)")
        }
        if let named = ProcessInfo.processInfo.environment["WARMSTART_WEIGHTS"] { return try WeightsFolder(named) }
        var candidates = ["Weights"]
        var folder = Bundle.main.executableURL?.resolvingSymlinksInPath().deletingLastPathComponent()
        // From `.build/x86_64-unknown-linux-gnu/release` the project's folder is three steps up.
        for _ in 0..<5 {
            candidates += folder.map { [$0.appending(path: "Weights").path(percentEncoded: false)] } ?? []
            folder?.deleteLastPathComponent()
        }
        return try candidates.first(where: hasIndex).map(WeightsFolder.init)
    }

    /// The names that can be called.
    public var names: [String] { index.weights.map(\.name) }

    /// The file of the weights called `name`; nil if there are none of this name.
    /// - Throws: ``ChecksumError`` if the file is not the one that was published; ``FileError``.
    public func file(named name: String) throws -> String? {
        guard let entry = index.weights.first(where: { $0.name == name }) else { return nil }
        let file = "\(path)/\(entry.file)"
        guard try SHA256.ofFile(file) == entry.sha256 else { throw ChecksumError(file: file) }
        return file
    }
}

/// A file that is not the one its index tells of.
public struct ChecksumError: UserFacingError, Equatable {
    /// The file.
    public let file: String

    /// Wrong data: 65.
    public var exitCode: Int32 { ExitStatus.badData }
    /// What does not agree, and what to do.
    public var description: String {
        "\(file) does not have the SHA-256 of its \(WeightsIndex.fileName): it was changed or is damaged.\n"
            + "Get it anew, or name it by its path to use it all the same."
    }
}
