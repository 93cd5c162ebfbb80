import Volumes

/// The straight line that takes two percentiles of some voxels to 0 and 1, and back.
///
/// Deformations are defined on intensities in 0...1, images here are z-scored.
public struct UnitScale: Hashable, Sendable {
    /// What becomes 0.
    public let low: Float
    /// What becomes 1.
    public let high: Float

    /// The scale between given intensities.
    public init(low: Float, high: Float) { (self.low, self.high) = (low, high) }

    /// The scale between two percentiles of the voxels, interpolated linearly between ranks.
    public init(of voxels: [Float], percentiles: ClosedRange<Double> = 0.5...99.5) {
        let sorted = voxels.sorted()
        func percentile(_ percent: Double) -> Float {
            guard let last = sorted.indices.last else { return 0 }
            let rank = percent / 100 * Double(last)
            let below = min(Int(rank), max(0, last - 1))
            let share = Float(rank - Double(below))
            return sorted[below] + share * (sorted[min(below + 1, last)] - sorted[below])
        }
        self.init(low: percentile(percentiles.lowerBound), high: percentile(percentiles.upperBound))
    }

    /// Intensities scaled and clipped to 0...1; 0 where both percentiles are the same.
    public func toUnit(_ patch: inout Patch) {
        let factor = high > low ? 1 / (high - low) : 0
        for index in patch.image.indices {
            patch.image[index] = max(0, min(1, (patch.image[index] - low) * factor))
        }
    }

    /// Intensities scaled back.
    public func fromUnit(_ patch: inout Patch) {
        for index in patch.image.indices { patch.image[index] = low + patch.image[index] * (high - low) }
    }
}
