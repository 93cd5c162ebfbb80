import Foundation
import Tensors

/// The list of published weights in a folder: `index.json`. Beside it lie, for each entry, `NAME.safetensors` and a model
/// card for people, `NAME.md`.
public struct WeightsIndex: Codable, Hashable, Sendable {
    /// One file of weights and what whoever takes it up must know.
    public struct Entry: Codable, Hashable, Sendable {
        /// The name; the files are called after it.
        public var name: String
        /// The file in the index's folder.
        public var file: String
        /// The SHA-256 hash of the file.
        public var sha256: String
        /// The number of weights.
        public var parameters: Int
        /// The pre-training method.
        public var method: String
        /// Patches in voxels and spacing in millimetres along depth, height and width.
        public var patch: [Int]
        /// The size of a voxel.
        public var spacingMM: [Double]
        /// How each channel's intensities were normalized.
        public var normalization: [String]
        /// On which images the weights were trained.
        public var data: String
        /// What they are good for, and what not.
        public var intendedUse: String
        /// The licence of the file, as an SPDX identifier.
        public var licence: String

        enum CodingKeys: String, CodingKey {
            case name, file, sha256, parameters, method, patch, normalization, data, licence
            case spacingMM = "spacing_mm"
            case intendedUse = "intended_use"
        }
    }

    /// The newest version of the format that this code knows.
    public static let currentFormat = 1
    /// The name of the index in its folder.
    public static let fileName = "index.json"

    /// The format's version.
    public var format = WeightsIndex.currentFormat
    /// The weights, by name.
    public var weights: [Entry] = []

    /// An index of nothing.
    public init() {}

    /// The index of a folder; an empty one where there is none.
    /// - Throws: ``WeightsIndexError`` if it cannot be understood.
    public init(ofFolder folder: String) throws {
        let path = "\(folder)/\(Self.fileName)"
        guard let content = FileManager.default.contents(atPath: path) else {
            self.init()
            return
        }
        do {
            self = try JSONDecoder().decode(Self.self, from: content)
        } catch let error as DecodingError {
            throw WeightsIndexError(path: path, problem: error.summary)
        }
        guard format <= Self.currentFormat else {
            throw WeightsIndexError(path: path, problem: "its format \(format) is newer than this tool knows")
        }
    }

    /// Writes the index into its folder.
    /// - Throws: ``FileError``.
    public func write(toFolder folder: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try AtomicFile.write(try encoder.encode(self), to: "\(folder)/\(Self.fileName)")
    }

    /// Adds an entry, in place of one of the same name.
    public mutating func add(_ entry: Entry) {
        weights.removeAll { $0.name == entry.name }
        weights.append(entry)
        weights.sort { $0.name < $1.name }
    }
}

/// An index that cannot be understood.
public struct WeightsIndexError: UserFacingError, Equatable {
    /// The file.
    public let path: String
    /// What is wrong.
    public let problem: String

    /// Wrong data: 65.
    public var exitCode: Int32 { ExitStatus.badData }
    /// The file and what is wrong with it.
    public var description: String { "\(path): not an index of weights: \(problem)." }
}
