import Foundation
import Tensors
import WeightFiles

/// Which images a pre-training learned from and was judged by: the run's `images.json`.
///
/// A run resumes only with the same images, and a comparison can tell whether a test case was among them.
public struct PretrainingImages: Codable, Hashable, Sendable {
    /// The file's name in a run's folder.
    public static let fileName = "images.json"

    /// The names of the images that the network learned from.
    public var training: [String]
    /// The names of the images that judged it.
    public var validation: [String]

    init(_ data: PretrainingData) { (training, validation) = (data.training.map(\.name), data.validation.map(\.name)) }

    /// The images of the run in a folder; nil if it recorded none.
    public init?(ofRun folder: String) {
        guard let content = FileManager.default.contents(atPath: "\(folder)/\(Self.fileName)"),
            let images = try? JSONDecoder().decode(Self.self, from: content)
        else { return nil }
        self = images
    }

    /// Whether the case called `name`, of whatever folder, was seen.
    public func contains(caseNamed name: String) -> Bool {
        (training + validation).contains { image in
            image.components(separatedBy: "__").contains { part in
                // In a plain folder the name may carry the number of a channel, as in NAME_0000.
                part == name || (part.hasPrefix("\(name)_0") && part.count == name.count + 5)
            }
        }
    }

    /// Writes the images of a new run, or compares them with those of the run to resume.
    func record(inRun folder: String) throws {
        let file = "\(folder)/\(Self.fileName)"
        guard FileManager.default.fileExists(atPath: file) else {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            return try AtomicFile.write(try encoder.encode(self), to: file)
        }
        guard let begun = Self(ofRun: folder), begun == self else { throw PretrainingDataError.otherImages(file: file) }
    }
}
