import Foundation
import Networks
import Tensors

/// From the bottlenecks of two patches to an affine map that moves one onto the other.
///
/// Parts: `features`, `rotation`, `scaling`, `translation`, `shear`.
public struct AffineHead: Module {
    private let features: DoubleConvGroupNorm
    private let rotation: Linear
    private let scaling: Linear
    private let translation: Linear
    private let shear: Linear

    /// A head on bottlenecks of `channels` channels each.
    public init(channels: Int, width: Int, on cpu: CPU) {
        features = DoubleConvGroupNorm(inputChannels: 2 * channels, outputChannels: width, on: cpu)
        (rotation, scaling) = (Linear(inputs: width, outputs: 3, on: cpu), Linear(inputs: width, outputs: 3, on: cpu))
        (translation, shear) = (Linear(inputs: width, outputs: 3, on: cpu), Linear(inputs: width, outputs: 6, on: cpu))
    }

    /// The layers.
    public var members: [Member] {
        [
            .module("features", features), .module("rotation", rotation), .module("scaling", scaling),
            .module("translation", translation), .module("shear", shear),
        ]
    }

    /// The map's numbers: angles up to 20 degrees, factors 0.75 to 1.25, shears up to 10 degrees, translations in halves of
    /// the patch.
    /// - Parameters:
    ///   - moving: bottleneck `[N, d, h, w, C]` of what is moved.
    ///   - fixed: bottleneck of what it is moved onto.
    public func callAsFunction(moving: Tensor, fixed: Tensor, in phase: Phase) -> AffineParameters {
        let x = globalAverage(features(concatenate([moving, fixed]), in: phase))
        func clamped(_ head: Linear) -> Tensor {
            pointwise(head(x, in: phase), { max(-1, min(1, $0)) }, derivative: { abs($0) <= 1 ? 1 : 0 })
        }
        let factors = clamped(scaling)
        let ones = Tensor(filledWith: 1, shape: factors.shape, on: x.cpu)
        return AffineParameters(
            angles: scale(clamped(rotation), by: .pi / 9), factors: add(ones, scale(factors, by: 0.25)),
            translations: translation(x, in: phase),
            shears: pointwise(
                scale(clamped(shear), by: .pi / 18), { tan($0) }, derivative: { 1 / (cos($0) * cos($0)) }))
    }
}

/// Affine maps of a batch, each the matrix `Shear Scale Rz Ry Rx` about the middle of a patch and a translation; everything is
/// differentiable.
///
/// The public code copies the numbers into a matrix, which cuts the gradient: its affine head is never trained.
public struct AffineParameters {
    /// About depth, height and width, in radians, `[N, 3]`.
    public var angles: Tensor
    /// Along depth, height and width, `[N, 3]`.
    public var factors: Tensor
    /// In halves of the patch, `[N, 3]`.
    public var translations: Tensor
    /// The off-diagonal elements of the shear, row by row, `[N, 6]`.
    public var shears: Tensor

    /// Maps of these numbers.
    public init(angles: Tensor, factors: Tensor, translations: Tensor, shears: Tensor) {
        (self.angles, self.factors, self.translations, self.shears) = (angles, factors, translations, shears)
    }

    /// Where each voxel of a patch looks, `[N, D, H, W, 3]`, in voxels.
    public func places(in extent: Extent3) -> Tensor {
        let (cosines, sines) = (
            pointwise(angles, { cos($0) }, derivative: { -sin($0) }),
            pointwise(angles, { sin($0) }, derivative: { cos($0) })
        )
        let shear = matrices(
            shears, [(0, 1, 0, 1), (0, 2, 1, 1), (1, 0, 2, 1), (1, 2, 3, 1), (2, 0, 4, 1), (2, 1, 5, 1)])
        let scaling = matrices(factors, [(0, 0, 0, 1), (1, 1, 1, 1), (2, 2, 2, 1)])
        // Transposed: a product of rows with rows is a product with the transpose.
        let turns = (0..<3).map { axis in
            let (first, second) = ((axis + 1) % 3, (axis + 2) % 3)
            return matrices(
                concatenate(
                    [slice(cosines, axis: 1, axis..<axis + 1), slice(sines, axis: 1, axis..<axis + 1)], axis: 1),
                [(first, first, 0, 1), (second, second, 0, 1), (second, first, 1, -1), (first, second, 1, 1)])
        }
        let cpu = angles.cpu
        let middle = extent.dimensions.map { Float($0 - 1) / 2 }
        let halves = extent.dimensions.map { Float($0) / 2 }
        let voxels = centredVoxels(in: extent, middle: middle, on: cpu)
        let maps = (0..<angles.shape[0]).map { sample -> Tensor in
            func matrix(_ all: Tensor) -> Tensor { slice(all, axis: 0, sample..<sample + 1).reshaped(to: [3, 3]) }
            let product = [scaling, turns[2], turns[1], turns[0]].reduce(matrix(shear)) {
                rowProducts($0, matrix($1))
            }
            let shift = multiply(
                slice(translations, axis: 0, sample..<sample + 1), Tensor(halves, shape: [1, 3], on: cpu))
            let offset = add(shift, Tensor(middle, shape: [1, 3], on: cpu)).reshaped(to: [3, 1])
            return rowProducts(voxels, concatenate([product, offset], axis: 1))
                .reshaped(to: Shape(samples: 1, extent: extent, channels: 3))
        }
        return concatenate(maps, axis: 0)
    }

    /// Matrices `[N, 9]` with `sign * values[index]` at (row, column), and ones on the rest of the diagonal.
    private func matrices(_ values: Tensor, _ entries: [(row: Int, column: Int, index: Int, sign: Float)]) -> Tensor {
        let (samples, count) = (values.shape[0], values.shape[1])
        var basis = [Float](repeating: 0, count: 9 * (count + 1))
        for entry in entries { basis[(3 * entry.row + entry.column) * (count + 1) + entry.index] = entry.sign }
        for axis in 0..<3 where !entries.contains(where: { $0.row == axis && $0.column == axis }) {
            basis[4 * axis * (count + 1) + count] = 1
        }
        let ones = Tensor(filledWith: 1, shape: [samples, 1], on: values.cpu)
        return rowProducts(
            concatenate([values, ones], axis: 1), Tensor(basis, shape: [9, count + 1], on: values.cpu))
    }

    /// `[V, 4]`: depth, height and width from the middle, and 1.
    private func centredVoxels(in extent: Extent3, middle: [Float], on cpu: CPU) -> Tensor {
        var rows: [Float] = []
        rows.reserveCapacity(4 * extent.volume)
        for depth in 0..<extent.depth {
            for height in 0..<extent.height {
                for width in 0..<extent.width {
                    rows += [Float(depth) - middle[0], Float(height) - middle[1], Float(width) - middle[2], 1]
                }
            }
        }
        return Tensor(rows, shape: [extent.volume, 4], on: cpu)
    }
}
