import Foundation
import Tensors
import Volumes
import WeightFiles

/// All that is needed beside the weights to segment an image: what the run's `model.json` holds.
public struct SegmentationModelCard: Sealed, Hashable, Sendable {
    /// The newest version of the format that this code knows.
    public static let currentFormat = 2
    /// The file's name in a run's folder.
    public static let fileName = "model.json"

    /// The format's version.
    public var format = SegmentationModelCard.currentFormat
    /// Preprocessing, patch and network.
    public var plan: Plan
    /// The classes, background first: class k is channel k of the logits.
    public var classes: [NNUNetDataset.LabelClass]
    /// The regions, if they may overlap: then region k is channel k of the logits.
    public var regions: [NNUNetDataset.LabelRegion]?
    /// What is done where nested regions contradict each other; nil for nothing.
    public var hierarchy: HierarchyConsistency?
    /// What is corrected in every prediction; nil for nothing.
    public var postProcessing: PostProcessing?
    /// What of an image the network has learned to look at, around what another network finds; nil for all of it.
    public var region: RegionOfInterest?
    /// How volumes are predicted unless the user says otherwise.
    public var window: SlidingWindow
    /// Protects the file; 0 in memory.
    public var checksum: UInt32 = 0

    /// A card.
    public init(
        plan: Plan, classes: [NNUNetDataset.LabelClass], regions: [NNUNetDataset.LabelRegion]? = nil,
        window: SlidingWindow, postProcessing: PostProcessing? = nil
    ) {
        (self.plan, self.classes, self.regions) = (plan, classes, regions)
        (self.window, self.postProcessing) = (window, postProcessing)
    }

    /// Whether the network judges whole images instead of voxels.
    public var classifies: Bool { plan.network.head == .classification }

    /// How logits become labels.
    var decision: LabelDecision { LabelDecision(regions) }

    /// Reads the card of a run.
    /// - Throws: ``SegmentationError/notAModel(path:reason:)``.
    public init(ofRun folder: String) throws {
        guard let data = FileManager.default.contents(atPath: "\(folder)/\(Self.fileName)") else {
            throw SegmentationError.notAModel(path: folder, reason: "it has no \(Self.fileName)")
        }
        // A newer card has entries of which this code knows nothing, nor their part of the checksum.
        if let found = try? JSONDecoder().decode(Version.self, from: data), found.format > Self.currentFormat {
            throw SegmentationError.notAModel(
                path: folder,
                reason: "its format \(found.format) is newer than this tool knows (\(Self.currentFormat))")
        }
        do {
            try self.init(sealedFile: data)
        } catch {
            throw SegmentationError.notAModel(path: folder, reason: "its \(Self.fileName) cannot be read (\(error))")
        }
    }

    private struct Version: Decodable {
        var format: Int
    }

    /// Writes the card into a run's folder.
    /// - Throws: ``FileError``.
    public func write(toRun folder: String) throws {
        try AtomicFile.write(try sealedFile(), to: "\(folder)/\(Self.fileName)")
    }
}
