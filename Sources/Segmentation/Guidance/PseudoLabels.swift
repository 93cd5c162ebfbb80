import Foundation
import Tensors
import Volumes

/// The labels that a teacher gives to a case, where it is sure, and how sure it is of what it found.
public struct PseudoLabels: Sendable {
    /// The class of each voxel, `[D, H, W]`; unsure voxels have the ignored label.
    public let labels: [Int16]
    /// The mean confidence over the voxels that the teacher calls foreground; 0 if there are none.
    public let score: Double
    /// The share of voxels that it is sure of.
    public let sureShare: Double

    /// The labels that logits stand for.
    ///
    /// The confidence of a voxel is its largest probability; where regions overlap, the smallest of the regions'
    /// `max(p, 1 - p)`.
    /// - Parameters:
    ///   - logits: `[K, D, H, W]`.
    ///   - confidence: voxels below it are unsure.
    ///   - ignored: their label.
    public init(
        logits: [Float], voxels: Int, decision: LabelDecision, confidence: Double, ignored: Int16
    ) {
        let channels = logits.count / max(1, voxels)
        let areRegions = decision != .largest
        let probabilities = Probabilities.of(logits, voxels: voxels, areRegions: areRegions)
        var certainties = [Float](repeating: areRegions ? 1 : 0, count: voxels)
        for channel in 0..<channels {
            for voxel in 0..<voxels {
                let p = probabilities[channel * voxels + voxel]
                certainties[voxel] = areRegions ? min(certainties[voxel], max(p, 1 - p)) : max(certainties[voxel], p)
            }
        }
        var labels = decision.labels(logits, channels: channels)
        var (sure, foreground, sum) = (0, 0, 0.0)
        for voxel in 0..<voxels {
            let certainty = Double(certainties[voxel])
            if labels[voxel] > 0 {
                foreground += 1
                sum += certainty
            }
            if certainty >= confidence { sure += 1 } else { labels[voxel] = ignored }
        }
        self.labels = labels
        score = foreground > 0 ? sum / Double(foreground) : 0
        sureShare = Double(sure) / Double(max(1, voxels))
    }

    /// The places of the surest cases: the share `keep` of all, rounded up, in their order. Cases without a sure voxel or
    /// without foreground are never among them.
    public static func selected(_ cases: [PseudoLabels], keep: Double) -> [Int] {
        let wanted = Int((Double(cases.count) * keep).rounded(.up))
        let ranked = cases.indices.filter { cases[$0].score > 0 && cases[$0].sureShare > 0 }
            .sorted { (cases[$1].score, $0) < (cases[$0].score, $1) }
        return ranked.prefix(wanted).sorted()
    }
}
