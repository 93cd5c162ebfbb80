import Foundation
import WeightFiles

/// What a run was begun with besides its recipe: the run's `setup.json`. A run resumes only with the same.
public struct FinetuneSetup: Codable, Hashable, Sendable {
    /// The file's name in a run's folder.
    static let fileName = "setup.json"

    /// The name of the dataset's folder; where it lies is nobody's business.
    public var dataset: String
    /// The cases to train on.
    public var trainingCases: [String]
    /// The cases to validate on.
    public var validationCases: [String]
    /// The name of the file or run of pre-trained weights; nil for random ones.
    public var weights: String?
    /// What identifies the content of that file.
    public var weightsDigest: String?
    /// The images without labels, by name; nil for none.
    public var unlabeled: [String]?
    /// What identifies the content of the teachers' weights; nil for none.
    public var teachers: [String]?

    /// The setup of a run; nil for a folder that tells none.
    public init?(ofRun folder: String) {
        guard let data = FileManager.default.contents(atPath: "\(folder)/\(Self.fileName)"),
            let setup = try? JSONDecoder().decode(Self.self, from: data)
        else { return nil }
        self = setup
    }

    /// The setup of a run, without the folders in which data and weights lie.
    init(
        dataset: String, trainingCases: [String], validationCases: [String], weights: String?, weightsDigest: String?,
        unlabeled: [String]?, teachers: [String]?
    ) {
        func name(_ path: String) -> String { URL(filePath: path).standardizedFileURL.lastPathComponent }
        (self.dataset, self.weights, self.weightsDigest) = (name(dataset), weights.map(name), weightsDigest)
        (self.trainingCases, self.validationCases) = (trainingCases, validationCases)
        (self.unlabeled, self.teachers) = (unlabeled, teachers)
    }

    /// Writes the setup of a new run, or compares it with that of the run to resume.
    /// - Throws: ``FinetuneError/otherSetup(folder:difference:)``, ``FinetuneError/damagedSetup(file:)``, ``FileError``.
    func record(inRun folder: String) throws {
        let file = "\(folder)/\(Self.fileName)"
        guard let data = FileManager.default.contents(atPath: file) else {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            return try AtomicFile.write(try encoder.encode(self), to: file)
        }
        guard let begun = try? JSONDecoder().decode(Self.self, from: data) else {
            throw FinetuneError.damagedSetup(file: file)
        }
        for (difference, isSame) in [
            ("dataset", begun.dataset == dataset), ("training cases", begun.trainingCases == trainingCases),
            ("validation cases", begun.validationCases == validationCases), ("weights", begun.weights == weights),
            ("content of the weights", begun.weightsDigest == weightsDigest),
            ("images without labels", begun.unlabeled == unlabeled), ("teachers", begun.teachers == teachers),
        ] where !isSame {
            throw FinetuneError.otherSetup(folder: folder, difference: difference)
        }
    }
}
