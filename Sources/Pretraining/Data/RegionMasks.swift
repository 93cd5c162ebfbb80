import Volumes

/// Files that tell regions of an image: anatomy, and what anonymization removed.
public struct RegionMasks: Hashable, Sendable {
    /// Where the anatomy is.
    public var anatomy: String?
    /// What was removed or changed.
    public var anonymization: String?

    /// Masks in these files.
    public init(anatomy: String? = nil, anonymization: String? = nil) {
        (self.anatomy, self.anonymization) = (anatomy, anonymization)
    }

    /// The files of the masks.
    var files: [String] { [anatomy, anonymization].compactMap(\.self) }

    /// The masks as one map of ``RegionLabel``s; nil if there are none. What was anonymized is no anatomy.
    /// - Throws: ``Volumes/NIfTIError``, ``Volumes/DatasetError`` for masks on another grid than the image.
    func labels(of image: DatasetCase, on geometry: Geometry, invertingAnatomy: Bool) throws -> LabelVolume? {
        func mask(_ path: String?) throws -> [Bool]? {
            guard let path else { return nil }
            return try DatasetCase(name: image.name, imagePaths: image.imagePaths, labelPath: path)
                .readLabels(on: geometry)?.labels.map { $0 != 0 }
        }
        let (anatomy, anonymized) = (try mask(anatomy), try mask(anonymization))
        guard anatomy != nil || anonymized != nil else { return nil }
        let labels = (0..<geometry.extent.volume).map { voxel -> Int16 in
            if anonymized?[voxel] ?? false { return RegionLabel.anonymized }
            return anatomy.map { $0[voxel] != invertingAnatomy } ?? false ? RegionLabel.anatomy : RegionLabel.anywhere
        }
        return LabelVolume(labels: labels, geometry: geometry)
    }
}
