import Tensors
import Volumes

/// How the logits of a voxel become its label.
public enum LabelDecision: Sendable, Hashable {
    /// The class of the largest logit; of equals, the first.
    case largest
    /// Regions that may overlap: where a logit is positive its region's label is written, later ones over earlier ones.
    case regions(writtenLabels: [Int16])

    /// The decision for a dataset with these regions; nil for one class per voxel.
    public init(_ regions: [NNUNetDataset.LabelRegion]?) {
        self = regions.map { .regions(writtenLabels: $0.map(\.writtenLabel)) } ?? .largest
    }

    /// The labels of a volume.
    /// - Parameter logits: `[K, D, H, W]`.
    /// - Returns: `[D, H, W]`.
    public func labels(_ logits: [Float], channels: Int) -> [Int16] {
        let volume = logits.count / channels
        var labels = [Int16](repeating: 0, count: volume)
        switch self {
        case .largest:
            var best = Array(logits[..<volume])
            for label in 1..<max(1, channels) {
                for voxel in 0..<volume where logits[label * volume + voxel] > best[voxel] {
                    best[voxel] = logits[label * volume + voxel]
                    labels[voxel] = Int16(label)
                }
            }
        case .regions(let written):
            for (region, label) in written.enumerated() {
                for voxel in 0..<volume where logits[region * volume + voxel] > 0 { labels[voxel] = label }
            }
        }
        return labels
    }
}

extension PreprocessingRecord {
    /// Turns logits `[K, D, H, W]` into labels on the grid of the file.
    func restored(logits: [Float], by decision: LabelDecision, on cpu: CPU) -> LabelVolume {
        switch decision {
        case .largest: restored(logits: logits, on: cpu)
        case .regions(let written): restored(regionLogits: logits, writtenLabels: written, on: cpu)
        }
    }
}
