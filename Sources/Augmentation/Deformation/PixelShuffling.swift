import Tensors
import Volumes

/// Shuffles the voxels within many small windows: texture changes, the shapes of organs stay.
///
/// All windows are taken from the image as it was; later ones overwrite earlier ones. Channels are shuffled alike. Zhou et al.
/// 2019 (Models Genesis), arXiv:1908.06912.
public struct PixelShuffling: PatchTransform, Hashable, Codable {
    /// How many voxels a window has along an axis of n voxels.
    public enum WindowSize: Hashable, Sendable, Codable {
        /// Any number from 1 to `floor(n / divisor)`, drawn for each window and axis.
        case upTo(divisor: Int)
        /// `floor(n / divisor)`; the voxels of all windows change places in the same way.
        case fixed(divisor: Int)
    }

    /// Of a sample.
    public var probability: Double
    /// How many windows are shuffled.
    public var windows: Int
    /// How large they are; at least 1 voxel along each axis.
    public var size: WindowSize

    /// Models Genesis': with probability 0.5, 10,000 windows of up to a tenth of the patch.
    public init(probability: Double = 0.5, windows: Int = 10_000, size: WindowSize = .upTo(divisor: 10)) {
        (self.probability, self.windows, self.size) = (probability, windows, size)
    }

    /// The stream `deform-shuffling`.
    public var purpose: Draws.Purpose { "deform-shuffling" }

    /// Changes the image.
    public func apply(to patch: inout Patch, draws: inout Draws) {
        guard draws.chance(probability) else { return }
        let (extent, original) = (patch.extent, patch.image)
        var common: [Int]?
        if case .fixed = size { common = draws.permutation(of: windowSize(in: extent, &draws).volume) }
        var voxels: [Int] = []
        for _ in 0..<windows {
            guard let window = draws.box(of: windowSize(in: extent, &draws), in: extent) else { continue }
            voxels.removeAll(keepingCapacity: true)
            window.forEachRow(in: extent) { voxels += $0 }
            let order = common ?? draws.permutation(of: voxels.count)
            for channel in 0..<patch.channels {
                let first = channel * extent.volume
                for (target, source) in zip(voxels, order) {
                    patch.image[first + target] = original[first + voxels[source]]
                }
            }
        }
    }

    private func windowSize(in extent: Extent3, _ draws: inout Draws) -> Extent3 {
        switch size {
        case .upTo(let divisor): draws.extent(in: extent) { 1...max(1, $0 / divisor) }
        case .fixed(let divisor): Extent3(dimensions: extent.dimensions.map { max(1, $0 / divisor) })
        }
    }
}
