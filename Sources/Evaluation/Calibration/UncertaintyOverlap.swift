/// Whether a network is unsure where it is wrong: the overlap of uncertain voxels with wrong ones (Jungo et al. 2020,
/// Analyzing the Quality and Challenges of Uncertainty Estimations for Brain Tumor Segmentation, Frontiers in Neuroscience
/// 14:282).
///
/// Voxels are counted by their uncertainty in tenths, so that every threshold of a tenth can be looked at. A voxel whose
/// prediction and reference agree on being background and sure does not change the overlap: it may be measured over whole
/// images.
public struct UncertaintyOverlap: Sendable, Hashable, Codable {
    /// The number of bins between 0 and 1.
    public static let bins = 10

    /// Voxels that are right, by uncertainty.
    public private(set) var right = [Int](repeating: 0, count: bins)
    /// Voxels that are wrong, by uncertainty.
    public private(set) var wrong = [Int](repeating: 0, count: bins)

    /// No voxels yet.
    public init() {}

    /// Counts a voxel.
    /// - Parameter uncertainty: from 0 to 1.
    public mutating func add(uncertainty: Float, isRight: Bool) {
        // Not a number is no certainty.
        let bin = uncertainty < 1 ? max(0, min(Self.bins - 1, Int(uncertainty * Float(Self.bins)))) : Self.bins - 1
        if isRight { right[bin] += 1 } else { wrong[bin] += 1 }
    }

    /// The voxels of both.
    public static func + (first: UncertaintyOverlap, second: UncertaintyOverlap) -> UncertaintyOverlap {
        var sum = first
        sum.right = zip(first.right, second.right).map(+)
        sum.wrong = zip(first.wrong, second.wrong).map(+)
        return sum
    }

    /// The Dice of the voxels with an uncertainty of `threshold` tenths or more and of the wrong voxels: twice those that are
    /// both, divided by the sum of both. NaN where there are neither.
    public func dice(fromTenths threshold: Int) -> Double {
        let both = wrong[threshold...].reduce(0, +)
        let uncertain = both + right[threshold...].reduce(0, +)
        return Double(2 * both) / Double(uncertain + wrong.reduce(0, +))
    }
}
