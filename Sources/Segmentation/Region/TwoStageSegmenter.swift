import Tensors
import Volumes

/// Two networks in turn: the first one segments the whole image, usually at low resolution; the second one sees the box
/// around what the first one found, with the margin that it was trained with, at full resolution. Beyond the box all is
/// background. Med3D's liver segmentation; Chen, Ma, Zheng 2019, arXiv:1904.00625.
///
/// Where the first network finds nothing, the second one sees the whole image: an empty answer would hide the failure.
public struct TwoStageSegmenter: ImageSegmenter {
    /// Finds the region.
    public let coarse: Ensemble
    /// Segments inside of it.
    public let fine: Ensemble
    /// Called for each image in which the first network finds nothing.
    public var foundNothing: () -> Void = {}

    /// - Throws: ``SegmentationError/noRegion(path:)`` if the second network has learned to look at whole images;
    ///   ``SegmentationError/differentModels(first:second:difference:)`` if the channels differ.
    public init(coarse: Ensemble, fine: Ensemble) throws {
        guard fine.models[0].card.region != nil else { throw SegmentationError.noRegion(path: fine.models[0].path) }
        guard coarse.channelNames == fine.channelNames else {
            throw SegmentationError.differentModels(
                first: coarse.models[0].path, second: fine.models[0].path, difference: "channels")
        }
        (self.coarse, self.fine) = (coarse, fine)
    }

    /// The names of the channels that an image must have.
    public var channelNames: [String] { fine.channelNames }

    /// Segments an image.
    /// - Throws: ``PreprocessingError``, or what `progress` throws.
    public func segment(
        _ image: Volume, progress: (_ done: Int, _ all: Int) throws -> Void
    ) throws -> LabelVolume {
        try pointed(at: image, progress: progress).segment(image, progress: progress)
    }

    /// Segments an image and tells how far models and views of the second stage agree.
    /// - Throws: ``PreprocessingError``, or what `progress` throws.
    public func segmentWithUncertainty(
        _ image: Volume, progress: (_ done: Int, _ all: Int) throws -> Void
    ) throws -> UncertainSegmentation {
        try pointed(at: image, progress: progress).segmentWithUncertainty(image, progress: progress)
    }

    /// The second network, looking where the first one found something.
    /// - Throws: ``PreprocessingError``, or what `progress` throws.
    public func pointed(
        at image: Volume, progress: (_ done: Int, _ all: Int) throws -> Void = { _, _ in }
    ) throws -> Ensemble {
        let found = try coarse.segment(image, progress: progress)
        let pointed = fine.looking(around: found)
        if pointed.part == nil { foundNothing() }
        return pointed
    }
}

extension Ensemble {
    /// Makes sure that the models have learned to look at whole images.
    /// - Throws: ``SegmentationError/needsRegion(path:)``.
    public func requireWholeImages() throws {
        guard models[0].card.region == nil else { throw SegmentationError.needsRegion(path: models[0].path) }
    }

    /// The models, looking at the region around labels on an image's own grid, if they have learned to look at regions and
    /// there is any label; else at the whole image.
    /// - Parameter ignored: a label that does not count.
    public func looking(around labels: LabelVolume, ignoring ignored: Int16? = nil) -> Ensemble {
        var result = self
        result.part = models[0].card.region.flatMap { interest in
            VoxelBox(around: labels.labels, extent: labels.extent, ignoring: ignored).map {
                interest.box(around: $0, in: labels.extent, spacingMM: labels.spacingMM)
            }
        }
        return result
    }
}
