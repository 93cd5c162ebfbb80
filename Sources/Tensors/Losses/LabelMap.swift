/// Class indices of a batch of volumes, `[N, D, H, W]`, linear in that order.
public struct LabelMap: Sendable, Equatable {
    /// The number of volumes.
    public let samples: Int
    /// Voxels along each axis.
    public let extent: Extent3
    /// One class per voxel.
    public let labels: [Int32]

    /// A map from its labels, `[N, D, H, W]`.
    public init(samples: Int, extent: Extent3, labels: [Int32]) {
        check(labels.count == samples * extent.volume, "\(labels.count) labels for \(samples) volumes of \(extent)")
        (self.samples, self.extent, self.labels) = (samples, extent, labels)
    }

    /// Stops the process unless every label is a class of `logits` or the one to ignore.
    /// - Parameter count: how many labels there are, where they are not the classes: of regions.
    func checkFit(_ logits: Tensor, labels count: Int? = nil, ignoring: Int32?) {
        check(
            logits.visibility == nil && logits.shape.samples == samples && logits.shape.extent == extent,
            "labels of \(samples) volumes of \(extent) do not fit logits \(logits.shape)")
        let classes = Int32(count ?? logits.shape.channels)
        let wrong = labels.first { ($0 < 0 || $0 >= classes) && $0 != ignoring }
        check(wrong == nil, "the label \(wrong ?? 0) is none of the \(classes) classes")
    }
}
