import Foundation
import Tensors
import Volumes

/// How far several predictions of one image agree, voxel by voxel: those of test-time views and of an ensemble's members.
///
/// With predictions `p_t` and their mean `p`: variance `mean over t of sum over c of (p_tc - p_c)²`, predictive entropy
/// `H(p) = -sum over c of p_c ln p_c`, mutual information `H(p) - mean over t of H(p_t)`, the part of the entropy that comes
/// from disagreement (Gal et al. 2017, arXiv:1703.02910). Where channels are regions that may overlap, each is a coin of its
/// own and entropies add up.
public struct Uncertainty: Sendable {
    /// The kinds of maps.
    public enum Kind: String, Sendable, CaseIterable {
        /// Squared distance from the mean prediction.
        case variance
        /// Entropy of the mean prediction, in nats.
        case entropy
        /// What of that comes from disagreement, in nats.
        case mutualInformation = "mutual_information"
    }

    /// The number of voxels.
    public let voxels: Int
    /// How many predictions were added.
    public private(set) var predictions = 0
    private let areRegions: Bool
    /// Sums of `p`, `[K, V]`, of `sum over c of p_c²` and of `H(p)`, `[V]`.
    private var sums: [Float]
    private var squares: [Float]
    private var entropies: [Float]

    /// Nothing yet, of `channels` classes or regions.
    public init(channels: Int, voxels: Int, areRegions: Bool) {
        (self.voxels, self.areRegions) = (voxels, areRegions)
        sums = [Float](repeating: 0, count: channels * voxels)
        squares = [Float](repeating: 0, count: voxels)
        entropies = squares
    }

    /// Adds a prediction.
    /// - Parameter probabilities: `[K, D, H, W]`.
    public mutating func add(_ probabilities: [Float]) {
        check(probabilities.count == sums.count, "\(probabilities.count) probabilities for \(sums.count)")
        for channel in 0..<sums.count / max(1, voxels) {
            for voxel in 0..<voxels {
                let p = probabilities[channel * voxels + voxel]
                sums[channel * voxels + voxel] += p
                squares[voxel] += p * p
                entropies[voxel] += entropy(p)
            }
        }
        predictions += 1
    }

    /// The mean prediction, `[K, D, H, W]`.
    public var mean: [Float] { sums.map { $0 / Float(max(1, predictions)) } }

    /// A map, `[D, H, W]`. Never negative; variance and mutual information of a single prediction are 0.
    public func map(_ kind: Kind) -> [Float] {
        let (count, mean) = (Float(max(1, predictions)), mean)
        var map = [Float](repeating: 0, count: voxels)
        for channel in 0..<mean.count / max(1, voxels) {
            for voxel in 0..<voxels {
                let p = mean[channel * voxels + voxel]
                map[voxel] += kind == .variance ? -p * p : entropy(p)
            }
        }
        switch kind {
        case .entropy: return map
        case .variance: return map.indices.map { max(0, map[$0] + squares[$0] / count) }
        case .mutualInformation: return map.indices.map { max(0, map[$0] - entropies[$0] / count) }
        }
    }

    /// The voxels that may be foreground, with a mean probability above 1 %: what scores of cases average over.
    public var band: [Bool] {
        let mean = mean
        return (0..<voxels).map { voxel in
            areRegions
                ? stride(from: voxel, to: mean.count, by: voxels).contains { mean[$0] > 0.01 } : 1 - mean[voxel] > 0.01
        }
    }

    private func entropy(_ p: Float) -> Float {
        let own = p > 0 ? -p * log(p) : 0
        return areRegions && p < 1 ? own - (1 - p) * log(1 - p) : own
    }
}

/// A segmentation and how sure it is.
public struct UncertainSegmentation: Sendable {
    /// The labels on the image's own grid, with its header.
    public var labels: LabelVolume
    /// How far views and members agree, on the same grid.
    public var uncertainty: Uncertainty

    /// The mean variance over the voxels that are labeled as foreground; 0 if there are none.
    public var score: Double {
        let variance = uncertainty.map(.variance)
        let found = labels.labels.indices.filter { labels.labels[$0] > 0 }
        return found.isEmpty ? 0 : found.reduce(0) { $0 + Double(variance[$1]) } / Double(found.count)
    }

    /// Writes the maps, `NAME_variance.nii.gz` and so on, with the geometry of the labels.
    /// - Throws: ``NIfTIError``, ``FileError``.
    public func write(_ kinds: [Uncertainty.Kind] = Uncertainty.Kind.allCases, named name: String, to folder: String)
        throws
    {
        for kind in kinds {
            let map = Volume(
                voxels: uncertainty.map(kind), channelNames: [kind.rawValue], geometry: labels.geometry,
                header: labels.header)
            try NIfTIFile.write(map, to: "\(folder)/\(name)_\(kind.rawValue).nii.gz")
        }
    }
}
