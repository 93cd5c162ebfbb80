import Foundation
import Tensors

/// What a planner knows of a dataset: sizes and spacings of its cases, and the intensities inside its labels.
public struct Fingerprint: Codable, Hashable, Sendable {
    /// Size and spacing of one case.
    public struct Shape: Codable, Hashable, Sendable {
        /// The case's name.
        public var name: String
        /// The size after cropping to the non-zero region.
        public var extent: Extent3
        /// The size of a voxel along depth, height and width.
        public var spacingMM: [Double]

        /// The shape of a case.
        public init(name: String, extent: Extent3, spacingMM: [Double]) {
            (self.name, self.extent, self.spacingMM) = (name, extent, spacingMM)
        }
    }

    /// The intensities of one channel inside all labels of the dataset.
    public struct Intensities: Codable, Hashable, Sendable {
        /// The mean.
        public var mean: Double
        /// The 50th percentile.
        public var median: Double
        /// The standard deviation (population).
        public var deviation: Double
        /// The smallest value.
        public var minimum: Double
        /// The largest value.
        public var maximum: Double
        /// The 0.5th percentile.
        public var percentile00_5: Double
        /// The 99.5th percentile.
        public var percentile99_5: Double
    }

    /// One entry for each case, in the dataset's order.
    public var shapes: [Shape]
    /// One entry for each channel; empty if nothing is labeled.
    public var intensities: [Intensities]
    /// The median over cases of the share of voxels that cropping to the non-zero region leaves.
    public var relativeSizeAfterCropping: Double

    /// The fingerprint of a dataset from those of its cases.
    ///
    /// - Precondition: there is a case, and all have the same channels.
    public init(_ cases: [CaseFingerprint]) {
        check(!cases.isEmpty, "a fingerprint needs at least one case")
        shapes = cases.map(\.shape)
        relativeSizeAfterCropping = median(cases.map(\.relativeSizeAfterCropping))
        let channels = cases[0].foreground.count
        check(cases.allSatisfy { $0.foreground.count == channels }, "all cases of a fingerprint have the same channels")
        intensities = (0..<channels).compactMap { channel in Intensities(of: cases.flatMap { $0.foreground[channel] }) }
    }
}

/// What one case adds to a ``Fingerprint``.
public struct CaseFingerprint: Sendable {
    /// Size and spacing.
    public var shape: Fingerprint.Shape
    /// The share of voxels that cropping leaves.
    public var relativeSizeAfterCropping: Double
    /// Per channel, intensities drawn from inside the labels.
    public var foreground: [[Float]]

    /// The fingerprint of one case.
    ///
    /// nnU-Net draws 10⁸ voxels for a whole dataset, with replacement, each case's share the same; a tenth of it gives the
    /// same statistics to four digits and needs a tenth of the memory. A case without labels adds none.
    /// - Parameters:
    ///   - image: intensities `[C, D, H, W]` of the cropped case.
    ///   - labels: classes `[D, H, W]` of the cropped case, if there are any; above 0 is inside.
    ///   - voxelsBeforeCropping: the number of voxels of the case as stored.
    ///   - caseCount: the number of cases of the dataset.
    public init(
        name: String, image: Volume, labels: [Int16]?, voxelsBeforeCropping: Int, caseCount: Int,
        drawsPerDataset: Int = 10_000_000
    ) {
        shape = Fingerprint.Shape(name: name, extent: image.extent, spacingMM: image.spacingMM)
        relativeSizeAfterCropping = Double(image.extent.volume) / Double(max(voxelsBeforeCropping, 1))
        let inside = (labels ?? []).indices.filter { labels![$0] > 0 }
        var draws = Draws(seed: 1234, purpose: .fingerprint)
        let drawn = inside.isEmpty ? 0 : drawsPerDataset / max(caseCount, 1)
        let chosen = (0..<drawn).map { _ in inside[draws.integer(in: 0..<inside.count)] }
        foreground = (0..<image.channels).map { channel in
            let voxels = image.channel(channel)
            return chosen.map { voxels[voxels.startIndex + $0] }
        }
    }
}

extension Fingerprint.Intensities {
    /// The statistics of `values`, or nil if there are none.
    init?(of values: [Float]) {
        guard !values.isEmpty else { return nil }
        let sorted = values.sorted()
        let mean = sorted.reduce(0.0) { $0 + Double($1) } / Double(sorted.count)
        let squares = sorted.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
        self.init(
            mean: mean, median: percentile(0.5, ofSorted: sorted),
            deviation: (squares / Double(sorted.count)).squareRoot(),
            minimum: Double(sorted[0]), maximum: Double(sorted[sorted.count - 1]),
            percentile00_5: percentile(0.005, ofSorted: sorted), percentile99_5: percentile(0.995, ofSorted: sorted))
    }
}

/// The value below which a share of the sorted values lies, linear between neighbours (NumPy's default).
func percentile<Value: BinaryFloatingPoint>(_ share: Double, ofSorted sorted: [Value]) -> Double {
    let position = share * Double(sorted.count - 1)
    let below = Int(position)
    let above = min(below + 1, sorted.count - 1)
    return Double(sorted[below]) + (position - Double(below)) * (Double(sorted[above]) - Double(sorted[below]))
}

/// The middle of `values`, or the mean of the two in the middle.
func median(_ values: [Double]) -> Double { percentile(0.5, ofSorted: values.sorted()) }

extension Draws.Purpose {
    static let fingerprint: Self = "fingerprint"
}
