import Tensors
import Training

extension BlockMasking {
    /// Reads `block` and `ratio`, a share or the interval that it is drawn from.
    ///
    /// - Parameters:
    ///   - totalStride: the default of the block.
    ///   - coversBottleneck: whether a block must hide whole voxels of the bottleneck.
    /// - Throws: `RecipeError` that names the key at fault.
    init(reading section: RecipeSection, patch: Extent3, totalStride: Extent3, coversBottleneck: Bool = false) throws {
        let block = try section.extent("block", default: totalStride)
        let interval = try section.interval("ratio", default: 0.6...0.9)
        let (low, high) = (interval.lowerBound, interval.upperBound)
        do {
            if coversBottleneck && (0..<3).contains(where: { block[$0] % totalStride[$0] != 0 }) {
                throw BlockMaskingError.visibleAtBottleneck(block: block, totalStride: totalStride)
            }
            try self.init(patch: patch, block: block, ratio: low == high ? .fixed(low) : .uniform(low..<high))
        } catch let error as BlockMaskingError {
            let isRatio =
                switch error {
                case .indivisible, .visibleAtBottleneck: false
                case .ratioOutside, .hidesNothing: true
                }
            throw section.error(at: isRatio ? "ratio" : "block", "\(error)")
        }
    }
}
