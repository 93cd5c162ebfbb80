import Foundation
import Tensors
import Volumes

/// Bends the intensity scale: `((x - min) / range)^gamma * range + min` per channel, then back to the former mean and
/// standard deviation.
public struct Gamma: PatchTransform, Hashable, Codable {
    /// Of a sample.
    public var probability: Double
    /// The exponent, drawn per channel.
    public var exponent: FactorRange
    /// Whether bright and dark change places meanwhile.
    public var isInverted: Bool
    /// Whether mean and standard deviation are brought back.
    public var keepsMoments: Bool

    /// A gamma transform.
    public init(
        probability: Double, exponent: FactorRange = .balanced(0.7...1.5), isInverted: Bool = false,
        keepsMoments: Bool = true
    ) {
        (self.probability, self.exponent) = (probability, exponent)
        (self.isInverted, self.keepsMoments) = (isInverted, keepsMoments)
    }

    /// The MedISeg survey's: every patch, exponents from 1/2 to 2.
    public static let survey = Gamma(probability: 1, exponent: .balanced(0.5...2), keepsMoments: false)

    /// nnU-Net's: with probability 0.3.
    public static let upright = Gamma(probability: 0.3)
    /// nnU-Net's of the inverted image: with probability 0.1.
    public static let inverted = Gamma(probability: 0.1, isInverted: true)

    /// The stream `augment-gamma`, or `augment-gamma-inverted`.
    public var purpose: Draws.Purpose { isInverted ? "augment-gamma-inverted" : "augment-gamma" }

    /// Changes the image.
    public func apply(to patch: inout Patch, draws: inout Draws) {
        guard draws.chance(probability) else { return }
        for channel in 0..<patch.channels {
            let exponent = Float(self.exponent.draw(&draws))
            patch.withChannel(channel) { bend($0, exponent) }
        }
    }

    private func bend(_ voxels: UnsafeMutableBufferPointer<Float>, _ exponent: Float) {
        let sign: Float = isInverted ? -1 : 1
        if isInverted { voxels.map { -$0 } }
        let before = voxels.moments
        let (low, high) = voxels.limits
        let range = high - low
        let scale = 1 / max(range, 1e-7)
        voxels.map { powf(($0 - low) * scale, exponent) * range + low }
        guard keepsMoments else { return voxels.map { sign * $0 } }
        let after = voxels.moments
        let gain = Float(before.deviation / max(after.deviation, 1e-7))
        let (mean, newMean) = (Float(before.mean), Float(after.mean))
        voxels.map { sign * (($0 - newMean) * gain + mean) }
    }
}
