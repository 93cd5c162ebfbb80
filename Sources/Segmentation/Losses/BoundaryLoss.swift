import Tensors

/// Boundary loss (Kervadec et al. 2019): the mean over samples, foreground classes and voxels of `p phi`, with `phi` the
/// signed distance to the reference, negative inside.
///
/// It may be negative and is smallest for the reference itself. Alone it is happy with nothing at all: add it to a region
/// loss. Distances are in units of the smallest voxel edge; a class that is absent from a sample has `phi = 0`.
public struct BoundaryLoss: SegmentationLoss, Hashable {
    /// The voxel edges along depth, height and width; only their ratios matter.
    public var spacing: [Double]
    /// Voxels with this label count nowhere.
    public var ignoredLabel: Int32?

    /// A boundary loss on voxels of this shape.
    public init(spacing: [Double] = [1, 1, 1], ignoredLabel: Int32? = nil) {
        (self.spacing, self.ignoredLabel) = (spacing, ignoredLabel)
    }

    /// Each sample stands for itself.
    public var isMeanOverSamples: Bool { true }

    /// `boundary`.
    public func terms(_ logits: Tensor, labels: LabelMap, progress: Double) -> [LossTerm] {
        let maps = ForegroundMaps(logits, labels: labels, ignoring: ignoredLabel)
        let field = DistanceField(extent: logits.shape.extent, spacing: spacing)
        let distances = maps.map { sample, channel in
            field.signed(
                ForegroundMaps.mask(maps.expected, sample: sample, channel: channel), innerOffset: 1, on: logits.cpu)
        }
        let mean = scale(
            sum(multiply(maps.predicted, distances)), by: Float(1 / (maps.structures * maps.volume)))
        return [LossTerm("boundary", weight: 1, value: mean)]
    }
}
