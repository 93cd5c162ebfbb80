import Foundation
import Tensors
import Volumes

extension Ensemble {
    /// How many predictions of an image there are: each model sees it in each orientation. A single one agrees with itself.
    public var predictions: Int { models.count * window.orientations.count }

    /// Predicts a preprocessed case by each model in each orientation alone.
    /// - Parameters:
    ///   - progress: called after each batch of windows.
    ///   - body: gets the logits `[K, D, H, W]` on the preprocessed grid, one model after the other.
    func forEachMember(
        of prepared: PreprocessedCase, progress: (_ done: Int, _ all: Int) throws -> Void,
        _ body: (_ model: Int, _ logits: [Float]) throws -> Void
    ) throws {
        let orientations = window.orientations
        let all = models.count * orientations.count
        for (index, model) in models.enumerated() {
            for (turn, orientation) in orientations.enumerated() {
                let logits = try window.logits(
                    of: prepared.voxels, extent: prepared.extent, by: [model.segmenter], classes: plan.outputChannels,
                    orientations: [orientation], on: cpu
                ) { done, windows in
                    try progress((index * orientations.count + turn) * windows + done, all * windows)
                }
                try body(index, logits)
            }
        }
    }

    /// The mean logits of all members, as ``logits(of:progress:)`` gives them, while each of them is shown to `body`.
    func meanLogits(
        of prepared: PreprocessedCase, progress: (_ done: Int, _ all: Int) throws -> Void,
        _ body: (_ model: Int, _ logits: [Float]) throws -> Void
    ) throws -> [Float] {
        var (sum, count) = ([Float](), Float(0))
        try forEachMember(of: prepared, progress: progress) { model, logits in
            let term =
                averagesProbabilities
                ? Probabilities.of(logits, voxels: prepared.extent.volume, areRegions: false) : logits
            sum = sum.isEmpty ? term : zip(sum, term).map { $0 + $1 }
            count += 1
            try body(model, logits)
        }
        return sum.map { averagesProbabilities ? log(max($0 / count, .leastNormalMagnitude)) : $0 / count }
    }

    /// Segments an image and tells how far models and views agree.
    /// - Throws: ``PreprocessingError``, or what `progress` throws.
    public func segmentWithUncertainty(
        _ image: Volume, progress: (_ done: Int, _ all: Int) throws -> Void
    ) throws -> UncertainSegmentation {
        var uncertainty = Uncertainty(
            channels: plan.outputChannels, voxels: image.extent.volume, areRegions: areRegions)
        let (record, logits) = try predictShowing(image, progress: progress) { uncertainty.add($0) }
        return UncertainSegmentation(labels: labels(of: logits, record), uncertainty: uncertainty)
    }

    /// Predicts an image while each member's probabilities on its grid are shown to `body`.
    func predictShowing(
        _ image: Volume, progress: (_ done: Int, _ all: Int) throws -> Void, _ body: ([Float]) -> Void
    ) throws -> (record: PreprocessingRecord, logits: [Float]) {
        let prepared = try plan.preprocessing(image, part: part, on: cpu)
        let logits = try meanLogits(of: prepared, progress: progress) { _, logits in
            body(probabilities(of: consistent(logits), prepared.record))
        }
        return (prepared.record, consistent(logits))
    }
}

extension ModelMixture {
    /// Segments an image and tells how far the models and views of all members agree.
    /// - Throws: ``PreprocessingError``, or what `progress` throws.
    public func segmentWithUncertainty(
        _ image: Volume, progress: (_ done: Int, _ all: Int) throws -> Void
    ) throws -> UncertainSegmentation {
        var uncertainty = Uncertainty(
            channels: members[0].plan.outputChannels, voxels: image.extent.volume, areRegions: members[0].areRegions)
        let maps = try members.map { member in
            let (record, logits) = try member.predictShowing(image, progress: progress) { uncertainty.add($0) }
            return member.probabilities(of: logits, record)
        }
        return UncertainSegmentation(labels: decided(maps, of: image), uncertainty: uncertainty)
    }
}
