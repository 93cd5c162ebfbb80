import Tensors

/// The files of one case.
public struct DatasetCase: Sendable, Hashable {
    /// The name, unique in its dataset.
    public let name: String
    /// One file for each channel; a single file may hold several channels along its fourth axis.
    public let imagePaths: [String]
    /// The labels, if the case has any.
    public let labelPath: String?

    /// A case of these files.
    public init(name: String, imagePaths: [String], labelPath: String? = nil) {
        (self.name, self.imagePaths, self.labelPath) = (name, imagePaths, labelPath)
    }

    /// Reads all channels.
    ///
    /// - Parameter channelNames: one for each channel; by default `0`, `1`, ..., as many as the files hold.
    /// - Returns: a volume with the geometry and the header of the first file.
    /// - Throws: ``NIfTIError`` for an unreadable file; ``DatasetError`` if the channels lie on different grids, are not as many
    ///   as `channelNames` or have voxels that are not finite or implausibly large.
    public func readImage(channelNames: [String]? = nil) throws -> Volume {
        var volume: Volume?
        for path in imagePaths {
            let channel = try NIfTIFile.read(path)
            let wrong = channel.nonFiniteCount
            if wrong > 0 { throw DatasetError.notFinite(case: name, path: path, count: wrong) }
            if let intensity = (0..<channel.channels).lazy.compactMap(channel.implausibleIntensity).first {
                throw DatasetError.implausible(case: name, path: path, intensity: intensity)
            }
            guard var merged = volume else {
                volume = channel
                continue
            }
            try requireSameGrid(merged.geometry, imagePaths[0], channel.geometry, path)
            volume = nil  // so that `merged` is unique and grows in place
            merged = Volume(voxels: merged.voxels + channel.voxels, geometry: merged.geometry, header: merged.header)
            volume = merged
        }
        guard let volume else { throw DatasetError.noImages(folder: name) }
        guard let channelNames else { return volume }
        guard channelNames.count == volume.channels else {
            throw DatasetError.wrongChannelCount(
                case: name, path: imagePaths[0], expected: channelNames.count, found: volume.channels)
        }
        return Volume(
            voxels: volume.voxels, channelNames: channelNames, geometry: volume.geometry, header: volume.header)
    }

    /// Reads the labels.
    ///
    /// - Parameters:
    ///   - known: the labels that may occur; nil allows all.
    ///   - image: the grid on which the labels must lie; nil allows any.
    /// - Returns: nil if the case has no labels.
    /// - Throws: ``NIfTIError`` for an unreadable file or values that are no whole numbers; ``DatasetError`` for unknown labels
    ///   or another grid.
    public func readLabels(known: [Int16]? = nil, on image: Geometry? = nil) throws -> LabelVolume? {
        guard let labelPath else { return nil }
        let labels = try NIfTIFile.readLabels(labelPath)
        if let image { try requireSameGrid(image, imagePaths[0], labels.geometry, labelPath) }
        if let known, let unknown = labels.values.first(where: { !known.contains($0) }) {
            throw DatasetError.unknownLabel(
                case: name, path: labelPath, value: Int(unknown), known: known.sorted().map(Int.init))
        }
        return labels
    }

    private func requireSameGrid(_ first: Geometry, _ firstPath: String, _ second: Geometry, _ secondPath: String)
        throws
    {
        guard !first.matches(second) else { return }
        let difference =
            if first.extent != second.extent {
                "\(first.fileDimensions) and \(second.fileDimensions) voxels"
            } else {
                "corners up to \(first.affine.largestDistanceMM(to: second.affine, over: first.extent)) mm apart"
            }
        throw DatasetError.mismatchedGrids(case: name, first: firstPath, second: secondPath, difference: difference)
    }
}
