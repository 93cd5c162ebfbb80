import Foundation
import WeightFiles

/// What a run was begun with besides its recipe: the run's `setup.json`. A run resumes only with the same.
public struct FinetuneSetup: Sealed, Hashable, Sendable {
    /// The file's name in a run's folder.
    public static let fileName = "setup.json"

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
    /// What identifies the content of the weights of teachers, and of the run that finds regions; nil for none.
    public var teachers: [String]?
    /// Protects the file; 0 in memory.
    public var checksum: UInt32 = 0

    /// The setup of a run; nil for a folder that tells none.
    /// - Throws: ``FinetuneError/damagedSetup(file:reason:)``.
    public init?(ofRun folder: String) throws {
        let file = "\(folder)/\(Self.fileName)"
        guard let data = FileManager.default.contents(atPath: file) else { return nil }
        do {
            try self.init(sealedFile: data)
        } catch {
            throw FinetuneError.damagedSetup(file: file, reason: "\(error)")
        }
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
    /// - Throws: ``FinetuneError/otherSetup(folder:difference:)``, ``FinetuneError/damagedSetup(file:reason:)``, ``FileError``.
    func record(inRun folder: String) throws {
        guard let begun = try Self(ofRun: folder) else {
            return try AtomicFile.write(try sealedFile(), to: "\(folder)/\(Self.fileName)")
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
