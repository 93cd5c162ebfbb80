import Tensors
import Volumes

/// Adds white noise that is cut off: `clip(deviation n, -limit, limit)` with `n` normal. The MedISeg survey's, for every
/// patch.
public struct BoundedNoise: PatchTransform, Hashable, Codable {
    /// The standard deviation before the cut.
    public var deviation: Double
    /// The largest change of a voxel.
    public var limit: Double

    /// The survey's: deviation 0.1, at most 0.2.
    public init(deviation: Double = 0.1, limit: Double = 0.2) {
        (self.deviation, self.limit) = (deviation, limit)
    }

    /// The stream `augment-bounded-noise`.
    public var purpose: Draws.Purpose { "augment-bounded-noise" }

    /// Changes the image.
    public func apply(to patch: inout Patch, draws: inout Draws) {
        let (deviation, limit) = (deviation, Float(limit))
        patch.image.withUnsafeMutableBufferPointer { voxels in
            for index in voxels.indices {
                voxels[index] += max(-limit, min(limit, Float(deviation * draws.normal())))
            }
        }
    }
}
