import Foundation
import Tensors
import Volumes
import WeightFiles

/// An ensemble whose members count as much as they have shown to deserve, class by class: a file that `warmstart ensemble`
/// writes and `warmstart predict` reads.
public struct LearnedEnsemble: Sendable, Hashable, Codable {
    /// The folders of the members' runs.
    public var models: [String]
    /// The channels, in the order of the weights: classes with background, or regions.
    public var channels: [String]
    /// `[model][channel]`.
    public var weights: [[Double]]
    /// The labeled cases that the weights were learned on; no member was trained on them.
    public var learnedOn: [String]
    /// Those on which they were compared with the plain average.
    public var checkedOn: [String]
    /// The mean of 1 minus soft Dice on the latter, of the average and of the weights. Equal where the average was kept.
    public var averageLoss, learnedLoss: Double

    /// What one labeled case tells of each member.
    /// - Throws: what reading the case and predicting it throws.
    public static func evidence(
        of members: [Ensemble], on files: DatasetCase, in dataset: NNUNetDataset
    ) throws -> EnsembleWeights.Evidence {
        let image = try dataset.readImage(files)
        guard let reference = try dataset.readLabels(files, on: image.geometry) else {
            throw SegmentationError.unlabeled(case: files.name)
        }
        var maps = try members.map { try $0.probabilities(of: image) }
        let volume = image.extent.volume
        // Ignored voxels are neither found nor missed.
        for voxel in 0..<volume where reference.labels[voxel] == dataset.ignoreLabel {
            for map in maps.indices {
                for index in stride(from: voxel, to: maps[map].count, by: volume) { maps[map][index] = 0 }
            }
        }
        let channels = dataset.channelLabels
        return EnsembleWeights.Evidence(probabilities: maps, channels: channels.count) { voxel, channel in
            channels[channel].contains(reference.labels[voxel])
        }
    }

    /// Learns weights. Every second case, the first among them, is learned on, the others decide whether to keep the result.
    /// - Parameter evidence: of at least two cases, with their names.
    public init(
        models: [String], of dataset: NNUNetDataset, evidence: [(name: String, sums: EnsembleWeights.Evidence)]
    ) {
        check(evidence.count >= 2, "weights are learned on one case and checked on another")
        let learned = evidence.indices.filter { $0 % 2 == 0 }.map { evidence[$0] }
        let checked = evidence.indices.filter { $0 % 2 == 1 }.map { evidence[$0] }
        let weights = EnsembleWeights.learned(on: learned.map(\.sums), checkedOn: checked.map(\.sums))
        let average = EnsembleWeights(averaging: models.count, channels: dataset.channelLabels.count)
        self.models = models
        channels = dataset.regions?.map(\.name) ?? dataset.classes.map(\.name)
        self.weights = weights.weights
        (learnedOn, checkedOn) = (learned.map(\.name), checked.map(\.name))
        averageLoss = average.loss(on: checked.map(\.sums))
        learnedLoss = weights.loss(on: checked.map(\.sums))
    }

    /// Reads a file.
    /// - Throws: ``SegmentationError/notAModel(path:reason:)``.
    public init(contentsOf path: String) throws {
        guard let data = FileManager.default.contents(atPath: path),
            let ensemble = try? JSONDecoder().decode(Self.self, from: data),
            ensemble.weights.count == ensemble.models.count, !ensemble.models.isEmpty,
            ensemble.weights.allSatisfy({ $0.count == ensemble.channels.count && $0.allSatisfy { $0 >= 0 } })
        else { throw SegmentationError.notAModel(path: path, reason: "it is no file of `warmstart ensemble`") }
        self = ensemble
    }

    /// The file's content.
    public func encoded() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }
}

extension NNUNetDataset {
    /// The labels of the voxels of each channel of logits: one of a class, those of a region.
    fileprivate var channelLabels: [[Int16]] { regions?.map(\.labels) ?? classes.map { [$0.label] } }
}
