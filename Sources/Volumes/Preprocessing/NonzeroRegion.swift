import Tensors

/// The part of an image that is not empty: where any channel differs from zero, and the holes within.
///
/// Scanners and skull-stripping leave exact zeros around the body. Cropping them away saves work; marking those that
/// remain keeps them out of statistics.
public struct NonzeroRegion: Sendable {
    /// The smallest box with every voxel that is not zero in all channels; the whole volume if there is none.
    public let box: VoxelBox
    /// For each voxel of the box, whether it is inside, `[D, H, W]`: not zero in some channel, or cut off by such voxels
    /// from the faces of the volume (over faces of voxels, not edges or corners).
    public let isInside: [Bool]

    /// Finds the region.
    /// - Parameter voxels: `[C, D, H, W]`.
    public init(voxels: [Float], extent: Extent3, on cpu: CPU) {
        box = Self.boundingBox(of: voxels, extent, on: cpu) ?? VoxelBox(whole: extent)
        // Voxels outside the box are all empty and reach the faces of the volume: filling the box alone is the same.
        var mask = Self.nonzero(voxels, extent, in: box, on: cpu)
        fillHoles(&mask, extent: box.extent)
        isInside = mask
    }

    private static func boundingBox(of voxels: [Float], _ extent: Extent3, on cpu: CPU) -> VoxelBox? {
        let channels = voxels.count / extent.volume
        /// For each slice: first and last row, first and last column with a voxel that is not zero.
        var slices = [SIMD4<Int>?](repeating: nil, count: extent.depth)
        voxels.withUnsafeBufferPointer { voxels in
            slices.withUnsafeMutableBufferPointer { slices in
                nonisolated(unsafe) let (voxels, slices) = (voxels, slices)
                cpu.forEach(extent.depth) { depth in
                    for row in 0..<channels * extent.height {
                        let (channel, height) = (row / extent.height, row % extent.height)
                        let start = ((channel * extent.depth + depth) * extent.height + height) * extent.width
                        let line = UnsafeBufferPointer(rebasing: voxels[start..<start + extent.width])
                        guard let first = line.firstIndex(where: { $0 != 0 }) else { continue }
                        let last = line.lastIndex { $0 != 0 } ?? first
                        let found = slices[depth] ?? SIMD4(height, height, first, last)
                        slices[depth] = SIMD4(
                            min(found[0], height), max(found[1], height), min(found[2], first), max(found[3], last))
                    }
                }
            }
        }
        guard let first = slices.firstIndex(where: { $0 != nil }), let last = slices.lastIndex(where: { $0 != nil })
        else {
            return nil
        }
        let found = slices.compactMap(\.self)
        let edges = found.reduce(found[0]) {
            SIMD4(min($0[0], $1[0]), max($0[1], $1[1]), min($0[2], $1[2]), max($0[3], $1[3]))
        }
        return VoxelBox(depth: first..<last + 1, height: edges[0]..<edges[1] + 1, width: edges[2]..<edges[3] + 1)
    }

    private static func nonzero(_ voxels: [Float], _ extent: Extent3, in box: VoxelBox, on cpu: CPU) -> [Bool] {
        let size = box.extent
        let channels = voxels.count / extent.volume
        var result = [Bool](repeating: false, count: size.volume)
        voxels.withUnsafeBufferPointer { voxels in
            result.withUnsafeMutableBufferPointer { result in
                nonisolated(unsafe) let (voxels, result) = (voxels, result)
                cpu.forEach(size.depth) { depth in
                    for row in 0..<channels * size.height {
                        let (channel, height) = (row / size.height, row % size.height)
                        let slice = channel * extent.depth + box.depth.lowerBound + depth
                        let source =
                            (slice * extent.height + box.height.lowerBound + height) * extent.width
                            + box.width.lowerBound
                        let target = (depth * size.height + height) * size.width
                        for width in 0..<size.width where voxels[source + width] != 0 { result[target + width] = true }
                    }
                }
            }
        }
        return result
    }
}
