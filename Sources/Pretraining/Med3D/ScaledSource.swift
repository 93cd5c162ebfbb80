import Augmentation
import Tensors
import Volumes

/// An image clipped to its own 0.5th and 99.5th percentile and z-scored, all voxels counting: the last two steps of Med3D's
/// normalization. Chen, Ma and Zheng 2019, arXiv:1904.00625.
public struct ScaledSource: VoxelSource, Sendable {
    private let source: any VoxelSource & Sendable
    private let limits: UnitScale
    private let mean: Float
    private let deviation: Float

    /// Reads the whole image once, for its statistics.
    /// - Throws: what reading `source` throws.
    public init(_ source: any VoxelSource & Sendable) throws {
        self.source = source
        let voxels = try source.patch(in: VoxelBox(whole: source.extent)).image
        let limits = UnitScale(of: voxels)
        let clipped = voxels.map { Double(max(limits.low, min(limits.high, $0))) }
        let mean = clipped.reduce(0, +) / Double(max(1, clipped.count))
        let variance = clipped.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, clipped.count))
        self.limits = limits
        (self.mean, deviation) = (Float(mean), Float(max(variance.squareRoot(), 1e-8)))
    }

    /// The size of the image.
    public var extent: Extent3 { source.extent }
    /// The number of channels.
    public var channels: Int { source.channels }
    /// Whether there are labels.
    public var isLabeled: Bool { source.isLabeled }

    /// The voxels in `box`; 0, the mean, beyond the image.
    public func patch(in box: VoxelBox) throws -> Patch {
        var patch = try source.patch(in: box)
        let inside = box.intersection(VoxelBox(whole: extent))
        guard inside.extent.volume > 0 else { return patch }
        let local = VoxelBox(origin: zip(inside.origin, box.origin).map { $0 - $1 }, extent: inside.extent)
        for channel in 0..<patch.channels {
            patch.withChannel(channel) { voxels in
                local.forEachRow(in: box.extent) { row in
                    for voxel in row {
                        voxels[voxel] = (max(limits.low, min(limits.high, voxels[voxel])) - mean) / deviation
                    }
                }
            }
        }
        return patch
    }
}
