import Tensors
import Volumes

/// Transforms, applied in order.
public struct TransformList: Sendable {
    /// The transforms. Two of the same purpose would draw the same numbers.
    public var transforms: [any PatchTransform]

    /// A list of transforms.
    public init(_ transforms: [any PatchTransform]) { self.transforms = transforms }

    /// Applies all transforms to one sample of a step.
    /// - Parameter intensitySeed: decides instead of `seed` what becomes of intensities.
    public func apply(
        to patch: inout Patch, seed: UInt64, intensitySeed: UInt64? = nil, step: Int, sample: Int
    ) {
        for transform in transforms {
            let seed = transform.movesVoxels ? seed : intensitySeed ?? seed
            var draws = Draws(seed: seed, purpose: transform.purpose, step: step, sample: sample)
            transform.apply(to: &patch, draws: &draws)
        }
    }

    /// nnU-Net's transforms of training patches after the spatial one, at its probabilities and ranges.
    ///
    /// - Parameters:
    ///   - isThickSliced: whether depth is left alone where resolution is lowered.
    ///   - masksOutside: whether the image is set to 0 outside the body, as z-scoring inside the body left it.
    public static func segmentation(
        isThickSliced: Bool = false, masksOutside: Bool = false, mirroredAxes: Set<Int> = [0, 1, 2]
    ) -> TransformList {
        var transforms: [any PatchTransform] = [
            GaussianNoise(), GaussianBlur(), Brightness(), Contrast(), LowResolution(keepsDepth: isThickSliced),
            Gamma.inverted, Gamma.upright, Mirroring(axes: mirroredAxes),
        ]
        if masksOutside { transforms.append(OutsideMask()) }
        return TransformList(transforms)
    }

    /// The transforms of pre-training patches after the spatial one: mirroring only.
    public static let pretraining = TransformList([Mirroring()])
}
