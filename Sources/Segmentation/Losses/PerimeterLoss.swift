import Tensors

/// Perimeter loss: the mean over samples and foreground classes of `(P(p) - P(g))^2 / voxels`, with `P` the soft size of a
/// structure's inner contour: `sum of relu(o - e)`, `e` the 3x3x3 minimum of the map and `o` the 3x3x3 maximum of `e`.
///
/// After El Jurdi et al. 2021, carried to 3D. It compares sizes, not places: add it to a region loss. Nothing lies beyond
/// the patch: filters ignore it.
public struct PerimeterLoss: SegmentationLoss, Hashable {
    /// Voxels with this label count nowhere.
    public var ignoredLabel: Int32?

    /// A perimeter loss.
    public init(ignoredLabel: Int32? = nil) { self.ignoredLabel = ignoredLabel }

    /// Each sample stands for itself.
    public var isMeanOverSamples: Bool { true }

    /// `perimeter`.
    public func terms(_ logits: Tensor, labels: LabelMap, progress: Double) -> [LossTerm] {
        let maps = ForegroundMaps(logits, labels: labels, ignoring: ignoredLabel)
        // Of the background both contours are 0.
        let difference = add(Self.contourSizes(maps.predicted), scale(Self.contourSizes(maps.expected), by: -1))
        let value = scale(sum(multiply(difference, difference)), by: Float(1 / (maps.structures * maps.volume)))
        return [LossTerm("perimeter", weight: 1, value: value)]
    }

    /// The soft size of the inner contour for each sample and channel, `[N, 1, 1, 1, C]`.
    static func contourSizes(_ map: Tensor) -> Tensor {
        func largest(_ x: Tensor) -> Tensor { maxPool3D(x, kernel: 3, stride: 1, padding: 1) }
        let eroded = scale(largest(scale(map, by: -1)), by: -1)
        return spatialSums(relu(add(largest(eroded), scale(eroded, by: -1))))
    }
}
