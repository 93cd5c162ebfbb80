import Foundation
import Tensors
import Volumes

/// Adds white noise of one strength to all channels.
public struct GaussianNoise: PatchTransform, Hashable, Codable {
    /// Of a sample.
    public var probability: Double
    /// The standard deviation; nnU-Net calls the range that of the variance but uses it so.
    public var deviation: ClosedRange<Double>

    /// nnU-Net's: with probability 0.1, up to 0.1.
    public init(probability: Double = 0.1, deviation: ClosedRange<Double> = 0...0.1) {
        (self.probability, self.deviation) = (probability, deviation)
    }

    /// The stream `augment-noise`.
    public var purpose: Draws.Purpose { "augment-noise" }

    /// Changes the image.
    public func apply(to patch: inout Patch, draws: inout Draws) {
        guard draws.chance(probability) else { return }
        let deviation = Float(draws.uniform(in: self.deviation))
        patch.image.withUnsafeMutableBufferPointer { voxels in
            // Box and Muller's transform gives two numbers for 64 random bits; single precision is plenty for noise.
            for index in stride(from: 0, to: voxels.count, by: 2) {
                let bits = draws.next()
                let first = (Float(bits >> 40) + 1) * 0x1p-24
                let angle = Float(bits & 0xFF_FFFF) * (2 * .pi * 0x1p-24)
                let radius = deviation * (-2 * logf(first)).squareRoot()
                voxels[index] += radius * cosf(angle)
                if index + 1 < voxels.count { voxels[index + 1] += radius * sinf(angle) }
            }
        }
    }
}
