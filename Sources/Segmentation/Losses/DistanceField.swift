import Evaluation
import Foundation
import Tensors

/// Exact Euclidean distances within a patch, in units of its smallest voxel edge.
struct DistanceField {
    /// Voxels along each axis.
    let extent: Extent3
    /// The distance between neighbours along each axis; the smallest is 1.
    private let spacing: [Double]

    /// Distances in a patch whose voxels have edges proportional to `spacing`.
    init(extent: Extent3, spacing: [Double]) {
        let smallest = spacing.min() ?? 1
        (self.extent, self.spacing) = (extent, spacing.map { $0 / smallest })
    }

    /// The distance of every voxel to the nearest where `mask` is `wanted`, `[D, H, W]`; nil if there is none.
    func distances(to mask: [Bool], being wanted: Bool, on cpu: CPU) -> [Double]? {
        let targets = mask.indices.filter { mask[$0] == wanted }
        return targets.isEmpty
            ? nil : euclideanDistancesMM(to: targets, extent: extent, spacingMM: spacing, on: cpu)
    }

    /// Positive outside the object, `offset - d` inside with `d` the distance to the background. Nil if the mask is empty
    /// or full.
    /// - Parameter offset: 1 gives 0 to the object's outer voxels.
    func signed(_ mask: [Bool], innerOffset offset: Double, on cpu: CPU) -> [Float]? {
        guard let outside = distances(to: mask, being: true, on: cpu),
            let inside = distances(to: mask, being: false, on: cpu)
        else { return nil }
        return mask.indices.map { Float(mask[$0] ? offset - inside[$0] : outside[$0]) }
    }

    /// The distance to the object's border from either side, to the power `exponent`. Nil if the mask is empty or full.
    func fromBorder(_ mask: [Bool], exponent: Double, on cpu: CPU) -> [Float]? {
        guard let outside = distances(to: mask, being: true, on: cpu),
            let inside = distances(to: mask, being: false, on: cpu)
        else { return nil }
        return mask.indices.map { Float(pow(mask[$0] ? inside[$0] : outside[$0], exponent)) }
    }
}
