import Tensors

/// Which voxels count as neighbours: those with a common face, edge or corner.
public enum Connectivity: Int, Sendable, Hashable, Codable, CaseIterable {
    /// Common faces.
    case faces = 6
    /// Common faces or edges.
    case edges = 18
    /// Common faces, edges or corners.
    case corners = 26
}

/// The connected parts of a mask, largest first; equally large ones in order of their first voxel.
///
/// Runs of voxels along the width are joined with the runs that they touch in the row above and in the slice before
/// (He, Chao and Suzuki 2008), so that the work follows the runs instead of the voxels.
public struct ConnectedComponents: Sendable {
    /// The number of voxels of each component, descending.
    public let sizes: [Int]
    /// Voxels along each axis.
    public let extent: Extent3
    private let runs: [Run]

    /// Voxels next to each other in one row.
    struct Run: Sendable {
        /// Linear index of the first voxel.
        var start: Int32
        var count: Int32
        /// The place of the run's component in ``sizes``.
        var component: Int32
    }

    /// Finds the components of `mask`.
    public init(of mask: BinaryMask, connectivity: Connectivity, on cpu: CPU) {
        extent = mask.extent
        var forest = RunForest(mask, on: cpu)
        forest.joinNeighbours(connectivity, extent: mask.extent)
        (sizes, runs) = forest.components()
    }

    /// The number of components.
    public var count: Int { sizes.count }

    /// The component of each voxel, `[D, H, W]`: 1 for the largest, 0 outside.
    public var labels: [Int32] {
        var labels = [Int32](repeating: 0, count: extent.volume)
        for run in runs {
            let start = Int(run.start)
            for voxel in start..<start + Int(run.count) { labels[voxel] = run.component + 1 }
        }
        return labels
    }

    /// The voxels of some components.
    /// - Parameter keep: whether a component of that place and size is part of the result.
    public func mask(keeping keep: (_ place: Int, _ size: Int) -> Bool) -> BinaryMask {
        let kept = sizes.indices.map { keep($0, sizes[$0]) }
        var voxels = [UInt8](repeating: 0, count: extent.volume)
        for run in runs where kept[Int(run.component)] {
            let start = Int(run.start)
            for voxel in start..<start + Int(run.count) { voxels[voxel] = 1 }
        }
        return BinaryMask(extent: extent, voxels: voxels)
    }

    /// The largest component; empty for an empty mask.
    public var largest: BinaryMask { mask { place, _ in place == 0 } }

    /// The components of at least `minimumSize` voxels.
    public func withoutSmall(minimumSize: Int) -> BinaryMask { mask { _, size in size >= minimumSize } }

    /// For each component, whether a voxel of it lies in `other`: whether a lesion was found.
    /// - Precondition: both have the same extent.
    public func touched(by other: BinaryMask) -> [Bool] {
        check(other.extent == extent, "a mask of \(other.extent) voxels does not fit components of \(extent)")
        var touched = [Bool](repeating: false, count: count)
        for run in runs where !touched[Int(run.component)] {
            let start = Int(run.start)
            if other.voxels[start..<start + Int(run.count)].contains(1) { touched[Int(run.component)] = true }
        }
        return touched
    }
}
