import Tensors

/// A label map and the grid it lies on.
public struct LabelVolume: Sendable {
    /// The class of each voxel, `[D, H, W]`: 0 is background, -1 marks voxels outside the body after preprocessing.
    public var labels: [Int16]
    /// Extent, spacing and place in the patient.
    public var geometry: Geometry
    /// The header of the file that the labels were read from, or of the image that they belong to: labels written with it
    /// keep the file's geometry byte for byte.
    public var header: NIfTIHeader?

    /// A label map of `geometry.extent`.
    public init(labels: [Int16], geometry: Geometry, header: NIfTIHeader? = nil) {
        check(
            labels.count == geometry.extent.volume,
            "\(geometry.extent) voxels need \(geometry.extent.volume) labels, got \(labels.count)")
        (self.labels, self.geometry, self.header) = (labels, geometry, header)
    }

    /// The number of voxels along depth, height and width.
    public var extent: Extent3 { geometry.extent }
    /// The distance between neighbours along depth, height and width, in millimetres.
    public var spacingMM: [Double] { geometry.spacingMM }
    /// From the file's voxel index `(i, j, k)` to RAS+ millimetres.
    public var affine: Affine { geometry.affine }

    /// The labels that occur, ascending.
    public var values: [Int16] {
        var seen = [Bool](repeating: false, count: 1 << 16)
        for label in labels { seen[Int(label) + 32768] = true }
        return seen.indices.filter { seen[$0] }.map { Int16($0 - 32768) }
    }
}
