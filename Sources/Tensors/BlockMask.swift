/// Which cells of a grid over a batch of volumes are visible. A cell is a block of voxels at every resolution whose
/// extent is a multiple of the grid.
public struct BlockMask: Hashable, Sendable {
    /// The number of volumes in the batch.
    public let samples: Int
    /// Cells along each axis.
    public let grid: Extent3
    /// `[N, gD, gH, gW]`, true where visible.
    public let visible: [Bool]

    /// A mask from one flag per cell, `[N, gD, gH, gW]`.
    public init(samples: Int, grid: Extent3, visible: [Bool]) {
        check(visible.count == samples * grid.volume, "\(visible.count) flags for \(samples) grids of \(grid) cells")
        self.samples = samples
        self.grid = grid
        self.visible = visible
    }

    /// Voxels of one cell along each axis of a feature map; `nil` if the map's extent is not a multiple of the grid.
    public func cell(in extent: Extent3) -> Extent3? {
        let fits = (0..<3).allSatisfy { extent[$0] >= grid[$0] && extent[$0] % grid[$0] == 0 }
        return fits ? extent.zipped(with: grid, /) : nil
    }

    /// Whether a cell is visible.
    public func isVisible(sample: Int, depth: Int, height: Int, width: Int) -> Bool {
        visible[((sample * grid.depth + depth) * grid.height + height) * grid.width + width]
    }

    /// The mask of one sample.
    public func sample(_ index: Int) -> BlockMask {
        let cells = (index * grid.volume)..<((index + 1) * grid.volume)
        return BlockMask(samples: 1, grid: grid, visible: Array(visible[cells]))
    }

    /// The number of visible cells of one sample.
    public func visibleCells(in sample: Int) -> Int {
        visible[(sample * grid.volume)..<((sample + 1) * grid.volume)].count { $0 }
    }

    /// Per voxel of feature maps with this extent, `[N, D, H, W]`: 1 where visible, 0 where hidden.
    public func voxels(in extent: Extent3) -> [Float] {
        guard let cell = cell(in: extent) else {
            fatalError("the extent \(extent) is not a multiple of the grid \(grid)")
        }
        var voxels: [Float] = []
        voxels.reserveCapacity(samples * extent.volume)
        for sample in 0..<samples {
            for d in 0..<extent.depth {
                for h in 0..<extent.height {
                    for w in 0..<extent.width {
                        let seen = isVisible(
                            sample: sample, depth: d / cell.depth, height: h / cell.height, width: w / cell.width)
                        voxels.append(seen ? 1 : 0)
                    }
                }
            }
        }
        return voxels
    }
}
