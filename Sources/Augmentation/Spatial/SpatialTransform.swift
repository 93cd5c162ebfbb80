import Foundation
import Tensors
import Volumes

/// Rotates and scales, in one resampling, while the patch is cut from its image.
///
/// nnU-Net cuts a larger box first, resamples all of it and keeps the centre. Here each voxel of the patch looks up where
/// it comes from, and only that part of the box is read; what lies beyond the box counts as outside, so that the result is
/// the same.
public struct SpatialTransform: Hashable, Sendable, Codable {
    /// Of a sample being rotated.
    public var rotationProbability: Double
    /// The largest angle about each axis, in degrees; angles are drawn uniformly from both directions.
    public var rotationDegrees: Double
    /// Of a sample being scaled, drawn apart from the rotation.
    public var scalingProbability: Double
    /// One factor for all axes; above 1 things get smaller.
    public var scaling: FactorRange
    /// Straight lines, or cubic B-splines.
    public var interpolation: Interpolation
    /// Whether slices are left where they are, turned and scaled in plane only: for thick slices and planar networks.
    public var keepsSlices: Bool

    /// - Parameter interpolation: `linear` or `cubic`.
    public init(
        rotationProbability: Double = 0.2, rotationDegrees: Double = 30, scalingProbability: Double = 0.2,
        scaling: FactorRange = .uniform(0.7...1.4), interpolation: Interpolation = .linear, keepsSlices: Bool = false
    ) {
        check(interpolation != .nearest, "a spatial transform interpolates with lines or splines")
        (self.rotationProbability, self.rotationDegrees) = (rotationProbability, rotationDegrees)
        (self.scalingProbability, self.scaling) = (scalingProbability, scaling)
        (self.interpolation, self.keepsSlices) = (interpolation, keepsSlices)
    }

    /// nnU-Net's for training patches: straight lines, factor drawn uniformly from 0.7 to 1.4; full turns within thick
    /// slices, 15 degrees within oblong planar patches.
    public static func segmentation(patch: Extent3) -> SpatialTransform {
        let inPlane = [patch.height, patch.width]
        let isOblong = Double(inPlane.max()!) > 1.5 * Double(inPlane.min()!)
        let isFlat = keepsSlices(of: patch)
        return SpatialTransform(
            rotationDegrees: isFlat ? (patch.depth == 1 && isOblong ? 15 : 180) : 30, keepsSlices: isFlat)
    }

    /// The S3D study's for pre-training patches: cubic splines, factors below and above 1 equally often.
    public static func pretraining(patch: Extent3) -> SpatialTransform {
        let isFlat = keepsSlices(of: patch)
        return SpatialTransform(
            rotationDegrees: isFlat ? 180 : 30, scaling: .balanced(0.7...1.4), interpolation: .cubic,
            keepsSlices: isFlat)
    }

    /// Whether a patch is so flat that slices are not mixed: more than three times as long as deep.
    public static func keepsSlices(of patch: Extent3) -> Bool { patch.dimensions.max()! > 3 * patch.depth }

    /// The box to cut for a patch: it holds the patch turned by the largest angle about each axis alone, and some more.
    ///
    /// nnU-Net divides by 0.85 whatever the range of factors is; 160³ gives 257³.
    public func initialPatch(for patch: Extent3) -> Extent3 {
        let angle = min(rotationDegrees, 90) * .pi / 180
        let (c, s) = (cos(angle), sin(angle))
        let (d, h, w) = (Double(patch.depth), Double(patch.height), Double(patch.width))
        let candidates = [
            SIMD3(d, h, w), SIMD3(d, h * c + w * s, w * c - h * s), SIMD3(d * c - w * s, h, d * s + w * c),
            SIMD3(d * c + h * s, h * c - d * s, w),
        ]
        func longest(_ axis: Int) -> Int { Int((candidates.map { abs($0[axis]) }.max() ?? 0) / 0.85) }
        return Extent3(depth: keepsSlices ? patch.depth : longest(0), height: longest(1), width: longest(2))
    }

    /// The map of one sample, or nil if it is neither turned nor scaled.
    public func draw(seed: UInt64, step: Int, sample: Int) -> SpatialMap? {
        var draws = Draws(seed: seed, purpose: "augment-spatial", step: step, sample: sample)
        let (isRotated, isScaled) = (draws.chance(rotationProbability), draws.chance(scalingProbability))
        let angles = (0..<3).map { _ in draws.uniform(in: -rotationDegrees...rotationDegrees) }
        let factor = scaling.draw(&draws)
        guard isRotated || isScaled else { return nil }
        let turned = isRotated ? SIMD3(angles[0], keepsSlices ? 0 : angles[1], keepsSlices ? 0 : angles[2]) : .zero
        let scale = isScaled ? factor : 1
        return SpatialMap(rotationDegrees: turned, scale: SIMD3(keepsSlices ? 1 : scale, scale, scale))
    }
}

/// A linear map from places in a patch to places in its box, both measured in voxels from their centres.
public struct SpatialMap: Hashable, Sendable {
    /// What one step along depth, height and width of the patch is in the box; vectors are (depth, height, width).
    var columns: (depth: SIMD3<Double>, height: SIMD3<Double>, width: SIMD3<Double>) {
        (SIMD3(rows.0.x, rows.1.x, rows.2.x), SIMD3(rows.0.y, rows.1.y, rows.2.y), SIMD3(rows.0.z, rows.1.z, rows.2.z))
    }

    private let rows: (SIMD3<Double>, SIMD3<Double>, SIMD3<Double>)

    /// Scales, then turns about the depth, the height and the width axis: the matrix `Rz Ry Rx S` of nnU-Net.
    /// - Parameters:
    ///   - rotationDegrees: the angles about depth, height and width.
    ///   - scale: per axis; above 1 the patch sees more, and things in it get smaller.
    public init(rotationDegrees: SIMD3<Double>, scale: SIMD3<Double>) {
        let angles = rotationDegrees * (.pi / 180)
        let (c, s) = (
            SIMD3(cos(angles.x), cos(angles.y), cos(angles.z)), SIMD3(sin(angles.x), sin(angles.y), sin(angles.z))
        )
        rows = (
            SIMD3(c.z * c.y, c.z * s.y * s.x - s.z * c.x, c.z * s.y * c.x + s.z * s.x) * scale,
            SIMD3(s.z * c.y, s.z * s.y * s.x + c.z * c.x, s.z * s.y * c.x - c.z * s.x) * scale,
            SIMD3(-s.y, c.y * s.x, c.y * c.x) * scale
        )
    }

    /// Equal matrices.
    public static func == (left: SpatialMap, right: SpatialMap) -> Bool { left.rows == right.rows }

    /// Hashes the matrix.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(rows.0)
        hasher.combine(rows.1)
        hasher.combine(rows.2)
    }
}
