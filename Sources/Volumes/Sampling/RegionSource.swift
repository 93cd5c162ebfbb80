import Tensors

/// A part of an image as an image of its own: what lies beyond it is as if it were not there.
public struct RegionSource: VoxelSource, Sendable {
    private let source: any VoxelSource & Sendable
    private let region: VoxelBox

    /// The voxels of `source` in `region`, which lies within it.
    public init(of source: any VoxelSource & Sendable, in region: VoxelBox) {
        check(
            region.intersection(VoxelBox(whole: source.extent)) == region,
            "the region \(region) leaves an image of \(source.extent) voxels")
        (self.source, self.region) = (source, region)
    }

    /// That of the region.
    public var extent: Extent3 { region.extent }
    /// Those of the image.
    public var channels: Int { source.channels }
    /// As the image.
    public var isLabeled: Bool { source.isLabeled }

    /// The voxels in `box`; image 0 and label -1 beyond the region.
    /// - Throws: what reading the image throws.
    public func patch(in box: VoxelBox) throws -> Patch {
        let wanted = VoxelBox(origin: zip(box.origin, region.origin).map { $0 + $1 }, extent: box.extent)
        let seen = wanted.intersection(region)
        guard seen.extent.volume > 0 else {
            return Patch(paddingOf: box.extent, channels: channels, isLabeled: isLabeled)
        }
        return try source.patch(in: seen).patch(in: wanted.relative(to: seen))
    }
}

extension ForegroundVoxels {
    /// The voxels in a region of an image of `extent` voxels, as places in the region.
    public func inside(_ region: VoxelBox, of extent: Extent3) -> ForegroundVoxels {
        ForegroundVoxels(
            classes: classes.map { members in
                Class(
                    label: members.label,
                    voxels: members.voxels.compactMap { voxel in
                        let (slice, width) = Int(voxel).quotientAndRemainder(dividingBy: extent.width)
                        let (depth, height) = slice.quotientAndRemainder(dividingBy: extent.height)
                        guard region.depth.contains(depth), region.height.contains(height),
                            region.width.contains(width)
                        else { return nil }
                        let row = (depth - region.depth.lowerBound) * region.height.count
                        return Int32(
                            (row + height - region.height.lowerBound) * region.width.count + width
                                - region.width.lowerBound)
                    })
            })
    }
}

extension VoxelBox {
    /// The smallest box with every voxel that has a label above 0; nil if there is none.
    /// - Parameters:
    ///   - labels: `[D, H, W]` of `extent`.
    ///   - ignored: a label that does not count.
    public init?(around labels: [Int16], extent: Extent3, ignoring ignored: Int16? = nil) {
        var (lower, upper) = (extent.dimensions, [-1, -1, -1])
        for index in labels.indices where labels[index] > 0 && labels[index] != ignored {
            let (slice, width) = index.quotientAndRemainder(dividingBy: extent.width)
            let place = [slice / extent.height, slice % extent.height, width]
            for axis in 0..<3 {
                lower[axis] = min(lower[axis], place[axis])
                upper[axis] = max(upper[axis], place[axis])
            }
        }
        guard upper[0] >= 0 else { return nil }
        self.init(
            origin: lower, extent: Extent3(dimensions: zip(lower, upper).map { $1 - $0 + 1 }))
    }
}
