import Tensors

/// Hausdorff loss by distance transforms (Karimi and Salcudean 2019): the mean over samples, foreground classes and voxels
/// of `(p - g)^2 (d_p^alpha + d_g^alpha)`, with `d_p` and `d_g` the distances to the borders of prediction (above one
/// half) and reference.
///
/// Errors far from where they should be cost most. No gradient flows through the distances; an empty or full mask has
/// distance 0. Distances are in units of the smallest voxel edge.
public struct HausdorffDistanceLoss: SegmentationLoss, Hashable {
    /// How much more far errors cost. The paper's value is 2.
    public var alpha = 2.0
    /// Whether distances to the prediction count as well; without, half the work.
    public var isTwoSided = true
    /// The voxel edges along depth, height and width; only their ratios matter.
    public var spacing: [Double]
    /// Voxels with this label count nowhere.
    public var ignoredLabel: Int32?

    /// A Hausdorff loss on voxels of this shape.
    public init(spacing: [Double] = [1, 1, 1], ignoredLabel: Int32? = nil) {
        (self.spacing, self.ignoredLabel) = (spacing, ignoredLabel)
    }

    /// Each sample stands for itself.
    public var isMeanOverSamples: Bool { true }

    /// `hausdorff`.
    public func terms(_ logits: Tensor, labels: LabelMap, progress: Double) -> [LossTerm] {
        let maps = ForegroundMaps(logits, labels: labels, ignoring: ignoredLabel)
        let field = DistanceField(extent: logits.shape.extent, spacing: spacing)
        func distances(_ map: Tensor) -> Tensor {
            maps.map { sample, channel in
                field.fromBorder(
                    ForegroundMaps.mask(map, sample: sample, channel: channel), exponent: alpha, on: logits.cpu)
            }
        }
        let expected = distances(maps.expected)
        let weights = isTwoSided ? add(expected, distances(maps.predicted)).detached : expected
        let difference = maps.difference
        let mean = scale(
            sum(multiply(multiply(difference, difference), weights)), by: Float(1 / (maps.structures * maps.volume)))
        return [LossTerm("hausdorff", weight: 1, value: mean)]
    }
}
