import Tensors

/// How blocks of a patch are hidden: the patch is cut into a grid of equal cells, and of each sample a random choice of
/// them is hidden.
///
/// The share may be drawn anew for every batch, but is the same for all of its samples: `m = floor(share * cells)` cells
/// of each. Tian et al. 2023, arXiv:2301.03580; Wald et al. 2024, arXiv:2410.23132.
public struct BlockMasking: Hashable, Sendable {
    /// The share of cells that is hidden.
    public enum Ratio: Hashable, Sendable {
        /// Always the same.
        case fixed(Double)
        /// Drawn uniformly for every batch.
        case uniform(Range<Double>)

        /// The smallest and the largest share.
        public var limits: ClosedRange<Double> {
            switch self {
            case .fixed(let ratio): ratio...ratio
            case .uniform(let range): range.lowerBound...range.upperBound
            }
        }
    }

    /// Voxels of a cell along each axis.
    public let block: Extent3
    /// Cells of a patch along each axis.
    public let grid: Extent3
    /// The share of cells that is hidden.
    public let ratio: Ratio

    /// Masking of patches of `patch` voxels in cells of `block` voxels.
    /// - Throws: ``BlockMaskingError`` if the patch is no multiple of the block, or if a mask could hide nothing or all.
    public init(patch: Extent3, block: Extent3, ratio: Ratio) throws {
        guard (0..<3).allSatisfy({ block[$0] > 0 && patch[$0] > 0 && patch[$0] % block[$0] == 0 }) else {
            throw BlockMaskingError.indivisible(patch: patch, block: block)
        }
        self.block = block
        self.ratio = ratio
        grid = patch.zipped(with: block, /)
        let limits = ratio.limits
        guard limits.lowerBound > 0, limits.upperBound < 1 else { throw BlockMaskingError.ratioOutside(limits) }
        for share in [limits.lowerBound, limits.upperBound] where hiddenCells(at: share) == 0 {
            throw BlockMaskingError.hidesNothing(ratio: share, cells: grid.volume)
        }
    }

    /// The mask of a batch: a pure function of seed and step.
    public func mask(samples: Int, seed: UInt64, step: Int) -> BlockMask {
        mask(samples: Array(0..<samples), seed: seed, step: step)
    }

    /// The mask of some samples of a step's batch.
    public func mask(samples: [Int], seed: UInt64, step: Int) -> BlockMask {
        var batchDraws = Draws(seed: seed, purpose: .maskingRatio, step: step)
        let hidden =
            switch ratio {
            case .fixed(let ratio): hiddenCells(at: ratio)
            case .uniform(let range): hiddenCells(at: batchDraws.uniform(in: range))
            }
        let visible = samples.flatMap { sample in
            var draws = Draws(seed: seed, purpose: .masking, step: step, sample: sample)
            var cells = [Bool](repeating: true, count: grid.volume)
            for cell in draws.permutation(of: grid.volume).prefix(hidden) { cells[cell] = false }
            return cells
        }
        return BlockMask(samples: samples.count, grid: grid, visible: visible)
    }

    /// The number of cells that this share hides, rounded down.
    public func hiddenCells(at share: Double) -> Int { Int(share * Double(grid.volume)) }
}

extension Draws.Purpose {
    static let masking: Self = "masking"
    static let maskingRatio: Self = "masking-ratio"
}

/// Why blocks cannot be hidden as asked.
public enum BlockMaskingError: UserFacingError, Equatable {
    /// The patch is no multiple of the block.
    case indivisible(patch: Extent3, block: Extent3)
    /// A block must hide whole voxels of the bottleneck.
    case visibleAtBottleneck(block: Extent3, totalStride: Extent3)
    /// The share of hidden blocks is not between 0 and 1.
    case ratioOutside(ClosedRange<Double>)
    /// There are so few blocks that the share rounds down to none.
    case hidesNothing(ratio: Double, cells: Int)

    /// The recipe asks for something impossible.
    public var exitCode: Int32 { ExitStatus.usage }

    /// What is impossible and what would do.
    public var description: String {
        switch self {
        case .indivisible(let patch, let block):
            let nearest = patch.zipped(with: block) { max(1, ($0 + $1 / 2) / max(1, $1)) * max(1, $1) }
            return "the patch \(patch) is not a multiple of the masked block \(block): use for example \(nearest)."
        case .visibleAtBottleneck(let block, let stride):
            return
                "the masked block is \(block), but one voxel of the network's bottleneck stands for \(stride): it would "
                + "not be hidden there. Set the block to \(stride), or masking.visible_bottleneck to true."
        case .ratioOutside(let limits):
            let named = limits.lowerBound == limits.upperBound ? "\(limits.lowerBound)" : "\(limits)"
            return "the masking ratio \(named) must lie between 0 and 1, both excluded, such as 0.75."
        case .hidesNothing(let ratio, let cells):
            return "a masking ratio of \(ratio) hides none of \(cells) blocks: use larger patches or a larger ratio."
        }
    }
}
