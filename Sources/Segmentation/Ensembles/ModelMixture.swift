import Evaluation
import Foundation
import Tensors
import Volumes

/// How models that see an image differently decide together.
public enum MixtureRule: Sendable, Hashable {
    /// The mean of their probabilities.
    case averageProbabilities
    /// The label that most of them give; of equals, that of the largest mean probability.
    case vote
    /// A mean of probabilities with weights for each model and class.
    case weighted(EnsembleWeights)
}

/// Ensembles of different configurations, patches, losses or networks that segment together on the grid of the image.
///
/// Folds of one configuration average logits in an ``Ensemble``; configurations average probabilities, or vote.
public struct ModelMixture: ImageSegmenter {
    /// The members: each the folds of one configuration.
    public let members: [Ensemble]
    /// How they decide.
    public let rule: MixtureRule
    private let cpu: CPU

    /// A mixture of at least one member.
    /// - Throws: ``SegmentationError/differentModels(first:second:difference:)`` if they know other classes.
    public init(_ members: [Ensemble], rule: MixtureRule, on cpu: CPU) throws {
        check(!members.isEmpty, "a mixture has at least one member")
        let first = members[0].models[0]
        for other in members.dropFirst().map({ $0.models[0] })
        where first.card.classes != other.card.classes || first.card.regions != other.card.regions {
            throw SegmentationError.differentModels(first: first.path, second: other.path, difference: "classes")
        }
        (self.members, self.rule, self.cpu) = (members, rule, cpu)
    }

    /// The names of the channels that an image must have.
    public var channelNames: [String] { members[0].channelNames }

    /// Segments an image.
    /// - Returns: the labels on the image's own grid, with its header.
    /// - Throws: ``PreprocessingError``, or what `progress` throws.
    public func segment(
        _ image: Volume, progress: (_ done: Int, _ all: Int) throws -> Void
    ) throws -> LabelVolume {
        decided(try members.map { try $0.probabilities(of: image, progress: progress) }, of: image)
    }

    /// What the members' probabilities `[K, D, H, W]` on the image's grid come to.
    func decided(_ maps: [[Float]], of image: Volume) -> LabelVolume {
        let card = members[0].models[0].card
        let volume = image.extent.volume
        let channels = maps[0].count / volume
        let weights =
            if case .weighted(let learned) = rule { learned } else {
                EnsembleWeights(averaging: members.count, channels: channels)
            }
        check(
            weights.weights.count == maps.count && weights.weights.allSatisfy { $0.count == channels },
            "weights for \(weights.weights.count) models do not fit \(maps.count) of \(channels) channels")
        var mean = [Float](repeating: 0, count: channels * volume)
        for (map, weights) in zip(maps, weights.weights) {
            for channel in 0..<channels {
                let weight = Float(weights[channel])
                for voxel in channel * volume..<(channel + 1) * volume { mean[voxel] += weight * map[voxel] }
            }
        }
        // Regions are decided at a probability of one half: a logit of zero.
        func decided(_ map: [Float]) -> [Int16] {
            card.decision.labels(card.regions == nil ? map : map.map { $0 - 0.5 }, channels: channels)
        }
        var labels = decided(mean)
        if rule == .vote { labels = Self.majority(maps.map(decided), mean: labels) }
        let result = LabelVolume(labels: labels, geometry: image.geometry, header: image.header)
        return card.postProcessing?.applied(to: result, on: cpu) ?? result
    }

    /// The label that most label maps give to each voxel; of equals, that of `mean` if it is one of them, else the
    /// smallest.
    public static func majority(_ maps: [[Int16]], mean: [Int16]) -> [Int16] {
        mean.indices.map { voxel in
            var votes: [Int16: Int] = [:]
            for map in maps { votes[map[voxel], default: 0] += 1 }
            let most = votes.values.max() ?? 0
            let winners = votes.keys.filter { votes[$0] == most }
            return winners.contains(mean[voxel]) ? mean[voxel] : winners.min() ?? 0
        }
    }
}

extension Ensemble {
    /// The probabilities of every class or region on the image's own grid, `[K, D, H, W]`; outside of what preprocessing
    /// kept, background is certain.
    /// - Throws: ``PreprocessingError``, or what `progress` throws.
    public func probabilities(
        of image: Volume, progress: (_ done: Int, _ all: Int) throws -> Void = { _, _ in }
    ) throws -> [Float] {
        let (prepared, logits) = try prepareAndPredict(image, progress: progress)
        return probabilities(of: logits, prepared.record)
    }

    /// The probabilities on the image's grid that logits on the preprocessed grid stand for.
    func probabilities(of logits: [Float], _ record: PreprocessingRecord) -> [Float] {
        let hasRegions = areRegions
        let channels = logits.count / record.extent.volume
        let cropped = (0..<channels).flatMap { channel in
            record.onCroppedGrid(
                Array(logits[channel * record.extent.volume..<(channel + 1) * record.extent.volume]), on: cpu)
        }
        let volume = record.box.extent.volume
        let probabilities = Probabilities.of(cropped, voxels: volume, areRegions: hasRegions)
        return (0..<channels).flatMap { channel in
            record.placed(
                scores: Array(probabilities[channel * volume..<(channel + 1) * volume]),
                outside: channel == 0 && !hasRegions ? 1 : 0, on: cpu)
        }
    }
}
