import Tensors

extension VoxelBox {
    /// The voxels of this box, cut out of arrays `[..., D, H, W]`.
    /// - Parameters:
    ///   - values: one or more volumes of `extent`, one after the other.
    /// - Returns: as many volumes of the box's extent.
    public func cropped<Element>(_ values: [Element], from extent: Extent3) -> [Element] {
        guard self != VoxelBox(whole: extent) else { return values }
        var result: [Element] = []
        result.reserveCapacity(values.count / extent.volume * self.extent.volume)
        for volume in 0..<values.count / extent.volume {
            for depth in depth {
                for height in height {
                    let start = ((volume * extent.depth + depth) * extent.height + height) * extent.width
                    result += values[start + width.lowerBound..<start + width.upperBound]
                }
            }
        }
        return result
    }

    /// The reverse of ``cropped(_:from:)`` for one volume: `values` in the box, `outside` elsewhere.
    public func uncropped<Element>(_ values: [Element], into extent: Extent3, outside: Element) -> [Element] {
        guard self != VoxelBox(whole: extent) else { return values }
        var result = [Element](repeating: outside, count: extent.volume)
        var source = 0
        for depth in depth {
            for height in height {
                let start = (depth * extent.height + height) * extent.width + width.lowerBound
                result.replaceSubrange(start..<start + width.count, with: values[source..<source + width.count])
                source += width.count
            }
        }
        return result
    }
}
