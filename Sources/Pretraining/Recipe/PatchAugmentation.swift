import Augmentation
import Tensors
import Training
import Volumes

/// How patches are turned, scaled and mirrored while they are cut. Intensities are a method's own affair.
public struct PatchAugmentation: Hashable, Sendable {
    /// Of a patch being turned.
    public var rotationProbability: Double
    /// The largest angle about each axis; nil: 30 degrees, or any angle within the slices of flat patches.
    public var rotationDegrees: Double?
    /// Of a patch being scaled.
    public var scalingProbability: Double
    /// The factors, below and above 1 equally often.
    public var scaling: ClosedRange<Double>
    /// The axes that may be mirrored: 0 (depth), 1 (height), 2 (width).
    public var mirroredAxes: [Int]
    /// Of a patch being centred on anatomy, where an image's anatomy is known.
    public var anatomyProbability = 1.0

    /// An augmentation of these parts.
    public init(
        rotationProbability: Double, rotationDegrees: Double? = nil, scalingProbability: Double,
        scaling: ClosedRange<Double> = 0.7...1.4, mirroredAxes: [Int]
    ) {
        (self.rotationProbability, self.rotationDegrees) = (rotationProbability, rotationDegrees)
        (self.scalingProbability, self.scaling, self.mirroredAxes) = (scalingProbability, scaling, mirroredAxes)
    }

    /// The S3D study's: a fifth turned, a fifth scaled, all mirrored.
    public static let turned = PatchAugmentation(
        rotationProbability: 0.2, scalingProbability: 0.2, mirroredAxes: [0, 1, 2])
    /// Mirrored only.
    public static let mirrored = PatchAugmentation(
        rotationProbability: 0, scalingProbability: 0, mirroredAxes: [0, 1, 2])
    /// Patches as they are.
    public static let none = PatchAugmentation(rotationProbability: 0, scalingProbability: 0, mirroredAxes: [])

    /// Reads the section `augmentation`.
    /// - Throws: `RecipeError`.
    init(reading section: RecipeSection, patch: Extent3, default usual: PatchAugmentation) throws {
        rotationProbability = try section.double(
            "rotation_probability", default: usual.rotationProbability, in: 0...1)
        rotationDegrees = try section.double(
            "rotation_degrees",
            default: usual.rotationDegrees ?? SpatialTransform.pretraining(patch: patch).rotationDegrees, in: 0...180)
        scalingProbability = try section.double("scaling_probability", default: usual.scalingProbability, in: 0...1)
        scaling = try section.interval("scaling", default: usual.scaling, in: 0.1...10)
        mirroredAxes = try section.integers("mirrored_axes", default: usual.mirroredAxes, in: 0...2)
        anatomyProbability = try section.double("anatomy_probability", default: usual.anatomyProbability, in: 0...1)
    }

    /// How patches of `patch` voxels are cut.
    public func cutter(of patch: Extent3) -> PatchCutter {
        let mirroring = TransformList(mirroredAxes.isEmpty ? [] : [Mirroring(axes: Set(mirroredAxes))])
        guard rotationProbability > 0 || scalingProbability > 0 else {
            return PatchCutter(
                sampling: PatchSampling(patch: patch, oversampling: .probability(anatomyProbability)), spatial: nil,
                transforms: mirroring)
        }
        var spatial = SpatialTransform.pretraining(patch: patch)
        (spatial.rotationProbability, spatial.scalingProbability) = (rotationProbability, scalingProbability)
        spatial.rotationDegrees = rotationDegrees ?? spatial.rotationDegrees
        spatial.scaling = .balanced(scaling)
        return PatchCutter(
            sampling: PatchSampling(
                patch: patch, box: spatial.initialPatch(for: patch), oversampling: .probability(anatomyProbability)),
            spatial: spatial, transforms: mirroring)
    }
}
