import Tensors

extension BlockMask {
    /// A mask for timing: at least one cell of each sample is visible, the number rounded to even.
    static func random(samples: Int = 1, grid: Extent3, visibleShare: Double) -> BlockMask {
        var draws = Draws(seed: 0, purpose: "benchmark mask")
        let seen = max(1, Int((Double(grid.volume) * visibleShare).rounded(.toNearestOrEven)))
        let visible = (0..<samples).flatMap { _ in draws.permutation(of: grid.volume).map { $0 < seen } }
        return BlockMask(samples: samples, grid: grid, visible: visible)
    }
}
