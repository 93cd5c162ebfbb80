import Foundation
import Tensors
import Volumes

/// A teacher's probabilities for every voxel of a preprocessed case, in 16 bits each: multiples of 1/65535.
public struct TeacherMap: VoxelSource, Sendable {
    /// The number of voxels along depth, height and width.
    public let extent: Extent3
    /// The classes or regions.
    public let channels: Int
    /// Probabilities need no labels.
    public var isLabeled: Bool { false }
    /// Whether the channels of a voxel sum to 1: classes do, regions need not.
    public let isDistribution: Bool
    /// `[K, D, H, W]`.
    private let levels: [UInt16]

    /// The probabilities that logits stand for, softened by a temperature.
    /// - Parameters:
    ///   - logits: `[K, D, H, W]`.
    ///   - areRegions: whether each channel is a probability of its own.
    public init(logits: [Float], extent: Extent3, temperature: Double, areRegions: Bool) {
        let softened = logits.map { $0 / Float(temperature) }
        let probabilities = Probabilities.of(softened, voxels: extent.volume, areRegions: areRegions)
        (self.extent, isDistribution) = (extent, !areRegions)
        channels = logits.count / extent.volume
        levels = probabilities.map { UInt16(($0 * 65535).rounded()) }
    }

    /// The probabilities in a box, `[K, D, H, W]`; 0 beyond the case.
    public func patch(in box: VoxelBox) -> Patch {
        var patch = Patch(paddingOf: box.extent, channels: channels, isLabeled: false)
        let inside = box.intersection(VoxelBox(whole: extent))
        guard inside.extent.volume > 0 else { return patch }
        for channel in 0..<channels {
            for depth in inside.depth {
                for height in inside.height {
                    let source = ((channel * extent.depth + depth) * extent.height + height) * extent.width
                    let row =
                        ((channel * box.depth.count + depth - box.depth.lowerBound) * box.height.count + height
                            - box.height.lowerBound) * box.width.count - box.width.lowerBound
                    for width in inside.width { patch.image[row + width] = Float(levels[source + width]) / 65535 }
                }
            }
        }
        return patch
    }
}

/// Probabilities of maps in the order of volumes, `[K, D, H, W]`.
public enum Probabilities {
    /// What logits stand for: a softmax over the channels, or of each region a sigmoid.
    public static func of(_ logits: [Float], voxels: Int, areRegions: Bool) -> [Float] {
        var values = logits
        guard !areRegions else {
            for index in values.indices { values[index] = 1 / (1 + exp(-values[index])) }
            return values
        }
        let channels = values.count / max(1, voxels)
        for voxel in 0..<voxels {
            var largest = values[voxel]
            for channel in 1..<max(1, channels) { largest = max(largest, values[channel * voxels + voxel]) }
            var total: Float = 0
            for channel in 0..<channels {
                values[channel * voxels + voxel] = exp(values[channel * voxels + voxel] - largest)
                total += values[channel * voxels + voxel]
            }
            for channel in 0..<channels { values[channel * voxels + voxel] /= total }
        }
        return values
    }

    /// Makes the channels of every voxel sum to 1 again, as after interpolation; where all are 0, as beyond an image, it is
    /// background.
    static func renormalize(_ values: inout [Float], voxels: Int) {
        let channels = values.count / max(1, voxels)
        for voxel in 0..<voxels {
            let total = (0..<channels).reduce(Float(0)) { $0 + values[$1 * voxels + voxel] }
            if total < 1e-3 {
                for channel in 0..<channels { values[channel * voxels + voxel] = channel == 0 ? 1 : 0 }
            } else {
                for channel in 0..<channels { values[channel * voxels + voxel] /= total }
            }
        }
    }
}
