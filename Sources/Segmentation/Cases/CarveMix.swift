import Tensors
import Volumes

/// Carves the structures of one patch, somewhat shrunk or grown, into another: CarveMix (Zhang et al. 2021).
///
/// With `d` the signed distance to the source's foreground (negative inside) and `m` its minimum, a threshold is drawn:
/// half of the times from `m/2...0`, else from `0...-m`. Where `d` is below it, image and labels are the source's. The
/// paper carves whole registered images; here both patches are cut as usual, so that their places need not agree.
public struct CarveMix: Sendable, Hashable {
    /// Of a patch being mixed.
    public var probability: Double

    /// Mixes with this probability.
    public init(probability: Double = 0.5) { self.probability = probability }

    /// The target with the source's structures; the target itself if the source has none, or nothing else.
    /// - Precondition: both patches are labeled and have the same size.
    public func mixed(_ target: Patch, with source: Patch, draws: inout Draws, on cpu: CPU) -> Patch {
        let field = DistanceField(extent: source.extent, spacing: [1, 1, 1])
        let mask = (source.labels ?? []).map { $0 > 0 }
        guard let distances = field.signed(mask, innerOffset: 0, on: cpu), let deepest = distances.min() else {
            return target
        }
        let depth = -Double(deepest)
        let threshold = draws.chance(0.5) ? -depth / 2 * draws.uniform() : depth * draws.uniform()
        return Self.mixed(target, with: source, where: distances.map { Double($0) < threshold })
    }

    /// The target, with image and labels of the source where `isCarved`, `[D, H, W]`.
    public static func mixed(_ target: Patch, with source: Patch, where isCarved: [Bool]) -> Patch {
        let volume = target.extent.volume
        check(
            source.extent == target.extent && source.channels == target.channels && isCarved.count == volume,
            "patches of \(source.extent) and \(target.extent) voxels cannot be mixed")
        var mixed = target
        for voxel in 0..<volume where isCarved[voxel] {
            for channel in 0..<target.channels {
                mixed.image[channel * volume + voxel] = source.image[channel * volume + voxel]
            }
            if let label = source.labels?[voxel] { mixed.labels?[voxel] = label }
        }
        return mixed
    }
}

extension Draws.Purpose {
    /// Whether a patch is mixed, with which case, and how much is carved.
    static let carveMix: Self = "carve-mix"
}
