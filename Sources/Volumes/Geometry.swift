import Tensors

/// A grid of voxels in the patient: how many voxels, and where they are.
///
/// This is the one place that knows how arrays lie in files. Arrays are indexed `[D, H, W]`, slowest axis first; a NIfTI
/// file's axes are `(i, j, k)`, fastest first. Width runs along i, height along j, depth along k, so that an array and the
/// voxels in its file have the same order in memory.
public struct Geometry: Hashable, Sendable, Codable {
    /// The number of voxels along depth, height and width.
    public var extent: Extent3
    /// From the index `(i, j, k)`, that is `(w, h, d)`, to millimetres.
    public var affine: Affine

    /// A grid of `extent` voxels placed by `affine`.
    public init(extent: Extent3, affine: Affine) {
        (self.extent, self.affine) = (extent, affine)
    }

    /// A grid aligned with the patient's axes, its first voxel at the origin.
    /// - Parameter spacingMM: the voxel's size along depth, height and width.
    public init(extent: Extent3, spacingMM: [Double]) {
        check(spacingMM.count == 3, "spacing is depth, height and width, got \(spacingMM)")
        self.init(extent: extent, affine: Affine(spacingMM: SIMD3(spacingMM[2], spacingMM[1], spacingMM[0])))
    }

    /// A grid whose file has `fileDimensions` voxels along i, j, k.
    public init(fileDimensions: [Int], affine: Affine) {
        self.init(extent: Extent3(dimensions: fileDimensions.reversed()), affine: affine)
    }

    /// The number of voxels along the file's axes i, j, k.
    public var fileDimensions: [Int] { extent.dimensions.reversed() }

    /// The distance between neighbouring voxels along depth, height and width, in millimetres.
    public var spacingMM: [Double] {
        let spacing = affine.spacingMM
        return [spacing.z, spacing.y, spacing.x]
    }

    /// The place, in RAS+ millimetres, of the voxel at a (fractional) array index.
    public func positionMM(depth: Double, height: Double, width: Double) -> SIMD3<Double> {
        affine(SIMD3(width, height, depth))
    }

    /// The volume of one voxel in cubic millimetres.
    public var voxelVolumeMM3: Double { abs(affine.determinant) }

    /// Whether both grids have the same voxels: equal extents, and no corner further apart than a fraction of a voxel.
    ///
    /// - Parameter tolerance: the allowed distance of corresponding corners, as a fraction of the smallest spacing.
    public func matches(_ other: Geometry, tolerance: Double = 0.01) -> Bool {
        guard extent == other.extent else { return false }
        let smallest = spacingMM.min() ?? 1
        return affine.largestDistanceMM(to: other.affine, over: extent) <= tolerance * smallest
    }

    /// The grid of the voxels in `box`.
    public func cropped(to box: VoxelBox) -> Geometry {
        let origin = positionMM(
            depth: Double(box.depth.lowerBound), height: Double(box.height.lowerBound),
            width: Double(box.width.lowerBound))
        var affine = affine
        (affine.x.w, affine.y.w, affine.z.w) = (origin.x, origin.y, origin.z)
        return Geometry(extent: box.extent, affine: affine)
    }

    /// A grid of `extent` voxels over the same block of space: the outer faces of the corner voxels coincide.
    public func resampled(to extent: Extent3) -> Geometry {
        let ratio = SIMD4(
            Double(self.extent.width) / Double(extent.width), Double(self.extent.height) / Double(extent.height),
            Double(self.extent.depth) / Double(extent.depth), 1)
        let first = (SIMD3(ratio.x, ratio.y, ratio.z) - 1) / 2
        let origin = affine(first)
        var affine = Affine(x: affine.x * ratio, y: affine.y * ratio, z: affine.z * ratio)
        (affine.x.w, affine.y.w, affine.z.w) = (origin.x, origin.y, origin.z)
        return Geometry(extent: extent, affine: affine)
    }
}

/// A block of voxels, half-open along each axis.
public struct VoxelBox: Hashable, Sendable, Codable, CustomStringConvertible {
    /// The slices.
    public var depth: Range<Int>
    /// The rows.
    public var height: Range<Int>
    /// The columns.
    public var width: Range<Int>

    /// The voxels in three ranges.
    public init(depth: Range<Int>, height: Range<Int>, width: Range<Int>) {
        (self.depth, self.height, self.width) = (depth, height, width)
    }

    /// All voxels of a volume of `extent`.
    public init(whole extent: Extent3) {
        self.init(depth: 0..<extent.depth, height: 0..<extent.height, width: 0..<extent.width)
    }

    /// The number of voxels along each axis.
    public var extent: Extent3 { Extent3(depth: depth.count, height: height.count, width: width.count) }

    /// The range along axis 0 (depth), 1 (height) or 2 (width).
    public subscript(axis: Int) -> Range<Int> {
        switch axis {
        case 0: depth
        case 1: height
        case 2: width
        default: fatalError("a box has the axes 0, 1 and 2, not \(axis)")
        }
    }

    /// For example `[2..<10, 0..<8, 3..<9]`.
    public var description: String { "[\(depth), \(height), \(width)]" }
}
