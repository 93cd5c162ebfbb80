import Volumes

/// What is done where a region is found outside of a region that holds it, such as enhancing tumor outside the tumor.
public enum HierarchyConsistency: String, Sendable, Hashable, Codable, CaseIterable {
    /// The outer region grows: every voxel of the inner one belongs to it.
    case outward
    /// The inner region shrinks: only voxels of the outer one belong to it.
    case inward

    /// The consistent scores of regions: logits or probabilities.
    ///
    /// A region lies within another if its labels are some of the other's.
    /// - Parameter scores: `[K, D, H, W]`, one channel for each region.
    public func applied(to scores: [Float], regions: [NNUNetDataset.LabelRegion]) -> [Float] {
        let volume = scores.count / regions.count
        // From the smallest region to the largest, so that chains of regions take one pass; inward the other way round.
        let order = regions.indices.sorted { (regions[$0].labels.count, $0) < (regions[$1].labels.count, $1) }
        var scores = scores
        for region in self == .outward ? order : order.reversed() {
            let labels = Set(regions[region].labels)
            for other in regions.indices where labels.isStrictSuperset(of: regions[other].labels) {
                for voxel in 0..<volume {
                    let (outer, inner) = (region * volume + voxel, other * volume + voxel)
                    switch self {
                    case .outward: scores[outer] = max(scores[outer], scores[inner])
                    case .inward: scores[inner] = min(scores[inner], scores[outer])
                    }
                }
            }
        }
        return scores
    }
}
