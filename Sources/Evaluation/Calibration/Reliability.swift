/// How often a network is right where it is so sure: voxels counted by the probability of what was decided.
///
/// A voxel's confidence is that probability; the voxel is right if the decision is the reference's. The bins have equal
/// widths, as in Guo et al. 2017 (arXiv:1706.04599), who also give the number of them.
///
/// Confidences are added up in units of 2⁻²⁴, which floats from a half on are multiples of. The sums are whole numbers, so
/// that they are exact and the same in any order.
public struct Reliability: Sendable, Hashable, Codable {
    /// The number of bins between 0 and 1.
    public static let bins = 15
    private static let unit = 1 << 24

    /// The voxels of each bin.
    public private(set) var voxels = [Int](repeating: 0, count: bins)
    /// Those of them that are right.
    public private(set) var right = [Int](repeating: 0, count: bins)
    /// The sum of each bin's confidences, in units of 2⁻²⁴.
    private var confidence = [Int](repeating: 0, count: bins)

    /// No voxels yet.
    public init() {}

    /// Counts a voxel.
    /// - Parameter confidence: from 0 to 1.
    public mutating func add(confidence probability: Float, isRight: Bool) {
        // Not a number counts as 0.
        let units = probability > 0 ? Int(min(probability, 1) * Float(Self.unit)) : 0
        let bin = min(Self.bins - 1, units * Self.bins / Self.unit)
        voxels[bin] += 1
        right[bin] += isRight ? 1 : 0
        confidence[bin] += units
    }

    /// The voxels of both.
    public static func + (first: Reliability, second: Reliability) -> Reliability {
        var sum = first
        sum.voxels = zip(first.voxels, second.voxels).map(+)
        sum.right = zip(first.right, second.right).map(+)
        sum.confidence = zip(first.confidence, second.confidence).map(+)
        return sum
    }

    /// A point of the reliability curve.
    public struct Point: Sendable, Hashable, Codable {
        /// The mean confidence of a bin's voxels.
        public var confidence: Double
        /// The share of them that is right: equal to ``confidence`` for a network that is calibrated.
        public var accuracy: Double
        /// The number of voxels.
        public var voxels: Int
    }

    /// The reliability curve: one point for each bin with voxels, confidence ascending.
    public var curve: [Point] {
        voxels.indices.filter { voxels[$0] > 0 }.map { bin in
            Point(
                confidence: Double(confidence[bin]) / Double(Self.unit) / Double(voxels[bin]),
                accuracy: Double(right[bin]) / Double(voxels[bin]), voxels: voxels[bin])
        }
    }

    /// The expected calibration error (Naeini et al. 2015, Guo et al. 2017): the mean over voxels of how far accuracy and
    /// mean confidence of their bins are apart. NaN without voxels.
    public var expectedCalibrationError: Double {
        let units = voxels.indices.reduce(0) { $0 + abs(right[$1] * Self.unit - confidence[$1]) }
        return Double(units) / Double(Self.unit) / Double(voxels.reduce(0, +))
    }
}
