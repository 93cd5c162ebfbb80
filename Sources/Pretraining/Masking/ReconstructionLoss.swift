import Tensors
import Training

/// How a rebuilt volume is judged.
public struct ReconstructionLoss: Hashable, Sendable {
    /// What a difference costs.
    public enum Kind: String, CaseIterable, Sendable {
        /// Its square.
        case squared
        /// Its size, as in SimMIM (Xie et al. 2022, arXiv:2111.09886).
        case absolute
    }

    /// Which voxels count.
    public enum Region: String, CaseIterable, Sendable {
        /// Those that the network did not see.
        case hidden
        /// All.
        case everywhere
    }

    /// What a difference costs.
    public var kind: Kind
    /// Which voxels count.
    public var region: Region

    /// The S3D study's: squares of hidden voxels.
    public init(kind: Kind = .squared, region: Region = .hidden) { (self.kind, self.region) = (kind, region) }

    /// Reads `kind` and `region`.
    /// - Throws: `RecipeError`.
    init(reading section: RecipeSection) throws {
        kind = try section.choice("kind", default: .squared)
        region = try section.choice("region", default: .hidden)
    }

    /// The mean over the voxels that count, of all samples together.
    ///
    /// - Parameters:
    ///   - rebuilt: `[N, D, H, W, 1]`.
    ///   - target: the volume itself.
    ///   - mask: which blocks the network saw.
    ///   - excluded: voxels that never count, `[N, D, H, W]`; nil: none.
    /// - Returns: a scalar; 0 where no voxel counts.
    public func callAsFunction(_ rebuilt: Tensor, target: Tensor, mask: BlockMask, excluded: [Bool]? = nil) -> Tensor {
        var weights = region == .hidden ? mask.voxels(in: rebuilt.shape.extent).map { 1 - $0 } : nil
        if let excluded {
            let counted = weights ?? [Float](repeating: 1, count: excluded.count)
            weights = zip(counted, excluded).map { $1 ? 0 : $0 }
        }
        let shape = Shape(samples: rebuilt.shape.samples, extent: rebuilt.shape.extent, channels: 1)
        let weighting = weights.map { Tensor($0, shape: shape, on: rebuilt.cpu) }
        return switch kind {
        case .squared: squaredError(rebuilt, target: target, weights: weighting)
        case .absolute: absoluteError(rebuilt, target: target, weights: weighting)
        }
    }
}
