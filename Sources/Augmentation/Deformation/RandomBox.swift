import Tensors
import Volumes

extension Draws {
    /// A box of `size` voxels, anywhere in an array of `extent` but at least `margin` voxels from its faces, each place
    /// equally likely; nil where there is no room for it.
    public mutating func box(of size: Extent3, in extent: Extent3, margin: Int = 0) -> VoxelBox? {
        let last = extent.zipped(with: size, -).dimensions.map { $0 - margin }
        guard last.allSatisfy({ $0 >= margin }) else { return nil }
        return VoxelBox(origin: last.map { integer(in: margin...$0) }, extent: size)
    }

    /// An extent each of whose axes is drawn from `range` of the axis' size.
    public mutating func extent(in extent: Extent3, _ range: (_ size: Int) -> ClosedRange<Int>) -> Extent3 {
        Extent3(dimensions: extent.dimensions.map { integer(in: range($0)) })
    }
}

extension VoxelBox {
    /// Calls `body` with the voxels of each row of this box, as positions in an array `[D, H, W]` of `extent` that holds the
    /// box.
    @inlinable
    public func forEachRow(in extent: Extent3, _ body: (Range<Int>) -> Void) {
        for depth in depth {
            for height in height {
                let row = (depth * extent.height + height) * extent.width
                body(row + width.lowerBound..<row + width.upperBound)
            }
        }
    }
}
