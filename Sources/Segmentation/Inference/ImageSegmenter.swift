import Volumes

/// Something that segments images on their own grids: an ``Ensemble`` or a ``ModelMixture``.
public protocol ImageSegmenter {
    /// The names of the channels that an image must have.
    var channelNames: [String] { get }

    /// Segments an image.
    /// - Parameter progress: called after each batch; what it throws ends the prediction.
    /// - Returns: the labels on the image's own grid, with its header.
    /// - Throws: ``PreprocessingError``, or what `progress` throws.
    func segment(_ image: Volume, progress: (_ done: Int, _ all: Int) throws -> Void) throws -> LabelVolume

    /// Segments an image and tells how far the members and views agree. Takes as long as ``segment(_:progress:)``; the
    /// labels are the same but where rounding decides between two.
    /// - Throws: ``PreprocessingError``, or what `progress` throws.
    func segmentWithUncertainty(
        _ image: Volume, progress: (_ done: Int, _ all: Int) throws -> Void
    ) throws -> UncertainSegmentation
}

extension ImageSegmenter {
    /// Segments an image, whatever time it takes.
    public func segment(_ image: Volume) throws -> LabelVolume { try segment(image) { _, _ in } }

    /// Segments the image of a case and writes the labels with the geometry of its first file, byte for byte.
    /// - Throws: ``NIfTIError``, ``DatasetError``, ``PreprocessingError``, ``FileError``, or what `progress` throws; no file
    ///   is left then.
    public func segment(
        _ files: DatasetCase, to path: String, progress: (_ done: Int, _ all: Int) throws -> Void = { _, _ in }
    ) throws {
        let image = try files.readImage(channelNames: channelNames)
        try NIfTIFile.write(segment(image, progress: progress), to: path)
    }
}
