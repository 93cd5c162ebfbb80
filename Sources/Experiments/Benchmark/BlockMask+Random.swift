import Tensors

extension BlockMask {
    /// A mask for timing: at least one cell is visible, the number rounded to even.
    static func random(grid: Extent3, visibleShare: Double) -> BlockMask {
        var draws = Draws(seed: 0, purpose: "benchmark mask")
        let seen = max(1, Int((Double(grid.volume) * visibleShare).rounded(.toNearestOrEven)))
        return BlockMask(samples: 1, grid: grid, visible: draws.permutation(of: grid.volume).map { $0 < seen })
    }
}
