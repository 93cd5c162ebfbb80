import Foundation
import Tensors
import Volumes
import WeightFiles

/// All that is needed beside the weights to segment an image: what the run's `model.json` holds.
public struct SegmentationModelCard: Codable, Hashable, Sendable {
    /// The newest version of the format that this code knows.
    public static let currentFormat = 1
    /// The file's name in a run's folder.
    public static let fileName = "model.json"

    /// The format's version.
    public var format = SegmentationModelCard.currentFormat
    /// Preprocessing, patch and network.
    public var plan: Plan
    /// The classes, background first: class k is channel k of the logits.
    public var classes: [NNUNetDataset.LabelClass]
    /// How volumes are predicted unless the user says otherwise.
    public var window: SlidingWindow

    /// A card.
    public init(plan: Plan, classes: [NNUNetDataset.LabelClass], window: SlidingWindow) {
        (self.plan, self.classes, self.window) = (plan, classes, window)
    }

    /// Reads the card of a run.
    /// - Throws: ``SegmentationError/notAModel(path:reason:)``.
    public init(ofRun folder: String) throws {
        guard let data = FileManager.default.contents(atPath: "\(folder)/\(Self.fileName)") else {
            throw SegmentationError.notAModel(path: folder, reason: "it has no \(Self.fileName)")
        }
        do {
            self = try JSONDecoder().decode(Self.self, from: data)
        } catch {
            throw SegmentationError.notAModel(path: folder, reason: "its \(Self.fileName) cannot be read (\(error))")
        }
        guard format <= Self.currentFormat else {
            throw SegmentationError.notAModel(
                path: folder, reason: "its format \(format) is newer than this tool knows (\(Self.currentFormat))")
        }
    }

    /// Writes the card into a run's folder.
    /// - Throws: ``FileError``.
    public func write(toRun folder: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try AtomicFile.write(try encoder.encode(self), to: "\(folder)/\(Self.fileName)")
    }
}
