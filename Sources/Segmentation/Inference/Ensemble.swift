import Foundation
import Networks
import Tensors
import Volumes

/// One or more models that segment images together: their logits are averaged, as nnU-Net does with its folds.
public struct Ensemble: ImageSegmenter {
    /// The members. All see an image in the same way and know the same classes.
    public let models: [SegmentationModel]
    /// How volumes are cut into windows; at first the first model's.
    public var window: SlidingWindow
    /// The part of an image's own grid to look at; beyond it all is background. nil: all of it.
    public var part: VoxelBox?
    let cpu: CPU

    /// An ensemble of at least one model.
    /// - Throws: ``SegmentationError/differentModels(first:second:difference:)``.
    public init(_ models: [SegmentationModel], on cpu: CPU) throws {
        check(!models.isEmpty, "an ensemble has at least one member")
        let first = models[0]
        if let classifier = models.first(where: { $0.card.classifies }) {
            throw SegmentationError.notAModel(path: classifier.path, reason: "it classifies whole images")
        }
        for other in models.dropFirst() {
            for (difference, isSame) in [
                (
                    "classes",
                    first.card.classes == other.card.classes && first.card.regions == other.card.regions
                ),
                ("patches", first.card.plan.patch == other.card.plan.patch),
                ("regions of interest", first.card.region == other.card.region),
                ("preprocessing steps", first.card.plan.preprocessing == other.card.plan.preprocessing),
            ] where !isSame {
                throw SegmentationError.differentModels(first: first.path, second: other.path, difference: difference)
            }
        }
        (self.models, window, self.cpu) = (models, first.card.window, cpu)
    }

    /// The ensemble of the models of these runs.
    /// - Throws: what opening them throws, and ``SegmentationError/differentModels(first:second:difference:)``.
    public init(ofRuns folders: [String], on cpu: CPU) throws {
        try self.init(folders.map { try SegmentationModel(ofRun: $0, on: cpu) }, on: cpu)
    }

    /// The names of the channels that an image must have.
    public var channelNames: [String] { plan.channels.map(\.name) }

    /// How images are preprocessed and what the first network is.
    public var plan: Plan { models[0].card.plan }

    /// Whether the channels are regions that may overlap.
    public var areRegions: Bool { models[0].card.regions != nil }

    // The survey averages the probabilities of its views, nnU-Net the logits.
    var averagesProbabilities: Bool { window.views == .survey && !areRegions }

    /// The logits of a preprocessed case.
    /// - Returns: `[K, D, H, W]`, on the case's preprocessed grid.
    public func logits(
        of prepared: PreprocessedCase, progress: (_ done: Int, _ all: Int) throws -> Void = { _, _ in }
    ) throws -> [Float] {
        try logits(of: prepared.voxels, extent: prepared.extent, progress: progress)
    }

    /// The logits of a whole case that is preprocessed already, `[K, D, H, W]`.
    public func logits(of whole: Patch) throws -> [Float] { try logits(of: whole.image, extent: whole.extent) }

    private func logits(
        of voxels: [Float], extent: Extent3, progress: (_ done: Int, _ all: Int) throws -> Void = { _, _ in }
    ) throws -> [Float] {
        let segmenters = models.map { model -> Segmenter in
            averagesProbabilities ? { softmax(model.segmenter($0)) } : model.segmenter
        }
        let scores = try window.logits(
            of: voxels, extent: extent, by: segmenters, classes: plan.outputChannels, on: cpu, progress: progress)
        return averagesProbabilities ? scores.map { log(max($0, .leastNormalMagnitude)) } : scores
    }

    /// Segments an image: preprocesses it as the models' plan says, predicts, and brings the result back.
    /// - Returns: the labels on the image's own grid, with its header.
    /// - Throws: ``PreprocessingError``, or what `progress` throws.
    public func segment(
        _ image: Volume, progress: (_ done: Int, _ all: Int) throws -> Void
    ) throws -> LabelVolume {
        let (prepared, logits) = try prepareAndPredict(image, progress: progress)
        return labels(of: logits, prepared.record)
    }

    /// The labels that logits on the preprocessed grid stand for, on the image's own grid, corrected as the card says.
    func labels(of logits: [Float], _ record: PreprocessingRecord) -> LabelVolume {
        corrected(record.restored(logits: logits, by: models[0].card.decision, on: cpu))
    }

    /// Labels after the corrections that the card asks for.
    func corrected(_ labels: LabelVolume) -> LabelVolume {
        models[0].card.postProcessing?.applied(to: labels, on: cpu) ?? labels
    }

    /// Preprocesses an image and predicts it: logits `[K, D, H, W]` on the preprocessed grid, of nested regions without
    /// contradictions where the card asks for that.
    func prepareAndPredict(
        _ image: Volume, progress: (_ done: Int, _ all: Int) throws -> Void
    ) throws -> (prepared: PreprocessedCase, logits: [Float]) {
        let prepared = try plan.preprocessing(image, part: part, on: cpu)
        return (prepared, consistent(try logits(of: prepared, progress: progress)))
    }

    /// Logits of nested regions without contradictions where the card asks for that.
    func consistent(_ logits: [Float]) -> [Float] {
        guard let regions = models[0].card.regions, let hierarchy = models[0].card.hierarchy else { return logits }
        return hierarchy.applied(to: logits, regions: regions)
    }
}
