import Tensors
import Volumes

/// Multiplies each channel by a factor.
public struct Brightness: PatchTransform, Hashable, Codable {
    /// Of a sample.
    public var probability: Double
    /// The factor, drawn per channel.
    public var factor: FactorRange

    /// nnU-Net's: with probability 0.15, by 0.75 to 1.25.
    public init(probability: Double = 0.15, factor: FactorRange = .balanced(0.75...1.25)) {
        (self.probability, self.factor) = (probability, factor)
    }

    /// The stream `augment-brightness`.
    public var purpose: Draws.Purpose { "augment-brightness" }

    /// Changes the image.
    public func apply(to patch: inout Patch, draws: inout Draws) {
        guard draws.chance(probability) else { return }
        for channel in 0..<patch.channels {
            let factor = Float(self.factor.draw(&draws))
            patch.withChannel(channel) { $0.map { $0 * factor } }
        }
    }
}
