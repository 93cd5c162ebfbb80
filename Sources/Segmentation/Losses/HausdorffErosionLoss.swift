import Foundation
import Tensors

/// Hausdorff loss by erosion (Karimi and Salcudean 2019): errors that survive more erosions are thicker and cost more.
///
/// `e_0 = (p - g)^2`; `e_k = relu(cross(e_{k-1}) - 1/2)`, where `cross` is the mean of a voxel and its face neighbours,
/// zeros beyond the patch; each `e_k` is stretched to 0...1 per sample and class, by factors that count as constants. The
/// loss is the mean over samples, foreground classes and voxels of `sum over k of e_k k^alpha`. (Public code computes it
/// without gradients, so that it cannot train.)
public struct HausdorffErosionLoss: SegmentationLoss, Hashable {
    /// How much more thick errors cost. The paper's value is 2.
    public var alpha = 2.0
    /// The number of erosions. The paper's value is 10.
    public var erosions = 10
    /// Voxels with this label count nowhere.
    public var ignoredLabel: Int32?

    /// The paper's values.
    public init(ignoredLabel: Int32? = nil) { self.ignoredLabel = ignoredLabel }

    /// Each sample stands for itself.
    public var isMeanOverSamples: Bool { true }

    /// `hausdorff`.
    public func terms(_ logits: Tensor, labels: LabelMap, progress: Double) -> [LossTerm] {
        let maps = ForegroundMaps(logits, labels: labels, ignoring: ignoredLabel)
        let difference = maps.difference
        var errors = multiply(difference, difference)
        var total = Tensor(zeros: [], on: logits.cpu)
        for round in 1...max(1, erosions) {
            errors = stretched(eroded(errors))
            total = add(total, scale(sum(errors), by: powf(Float(round), Float(alpha))))
        }
        return [
            LossTerm(
                "hausdorff", weight: 1, value: scale(total, by: Float(1 / (maps.structures * maps.volume))))
        ]
    }

    /// `relu(cross(x) - 1/2)`. The cross is made of means along each axis, which all hold the voxel itself.
    private func eroded(_ x: Tensor) -> Tensor {
        let axes = (0..<3).filter { x.shape.extent[$0] > 1 }
        let cells = Float(2 * axes.count + 1)
        let sums = axes.map { axis in
            var (kernel, padding) = ([1, 1, 1], [0, 0, 0])
            (kernel[axis], padding[axis]) = (3, 1)
            return scale(
                averagePool3D(
                    x, kernel: Extent3(dimensions: kernel), stride: 1, padding: Extent3(dimensions: padding)),
                by: 3 / cells)
        }
        let cross = sums.reduce(scale(x, by: Float(1 - axes.count) / cells), add)
        return relu(add(cross, Tensor(filledWith: -0.5, shape: x.shape, on: x.cpu)))
    }

    /// Each sample and class from 0 to 1, if it is not constant.
    private func stretched(_ x: Tensor) -> Tensor {
        let shape = x.shape
        let (channels, voxels) = (shape.channels, shape.extent.volume)
        var limits = [(low: Float, high: Float)](repeating: (.infinity, -.infinity), count: shape.samples * channels)
        x.withScalars { scalars in
            for (index, value) in scalars.enumerated() {
                let place = index / (voxels * channels) * channels + index % channels
                limits[place] = (min(limits[place].low, value), max(limits[place].high, value))
            }
        }
        func constant(_ value: (_ low: Float, _ high: Float) -> Float) -> Tensor {
            Tensor(uninitialized: shape, on: x.cpu) { map in
                for index in 0..<map.count {
                    let (low, high) = limits[index / (voxels * channels) * channels + index % channels]
                    map[index] = value(low, high)
                }
            }
        }
        let slopes = constant { $1 > $0 ? 1 / ($1 - $0) : 1 }
        return add(multiply(x, slopes), constant { $1 > $0 ? -$0 / ($1 - $0) : 0 })
    }
}
