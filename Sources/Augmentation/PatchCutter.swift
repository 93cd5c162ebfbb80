import Tensors
import Volumes

/// From an image to what the network is trained on: draws a box, cuts it out turned and scaled, changes intensities.
///
/// A pure function of seed, step and sample: patches can be made ahead of time, on any thread, in any order.
public struct PatchCutter: Sendable {
    /// Where to cut.
    public var sampling: PatchSampling
    /// Turning and scaling, or nil.
    public var spatial: SpatialTransform?
    /// What follows.
    public var transforms: TransformList

    /// A cutter of these parts.
    public init(sampling: PatchSampling, spatial: SpatialTransform?, transforms: TransformList) {
        (self.sampling, self.spatial, self.transforms) = (sampling, spatial, transforms)
    }

    /// nnU-Net's training patches.
    /// - Parameter masksOutside: see ``TransformList/segmentation(isThickSliced:masksOutside:mirroredAxes:)``.
    public static func segmentation(
        patch: Extent3, oversampling: PatchSampling.Oversampling = .share(0.33), masksOutside: Bool = false,
        mirroredAxes: Set<Int> = [0, 1, 2]
    ) -> PatchCutter {
        let spatial = SpatialTransform.segmentation(patch: patch)
        let transforms = TransformList.segmentation(
            isThickSliced: spatial.keepsSlices, masksOutside: masksOutside,
            mirroredAxes: patch.depth == 1 ? mirroredAxes.subtracting([0]) : mirroredAxes)
        return PatchCutter(
            sampling: PatchSampling(patch: patch, box: spatial.initialPatch(for: patch), oversampling: oversampling),
            spatial: spatial, transforms: transforms)
    }

    /// The S3D study's pre-training patches: anywhere, turned, scaled and mirrored, intensities as they are.
    public static func pretraining(patch: Extent3) -> PatchCutter {
        let spatial = SpatialTransform.pretraining(patch: patch)
        return PatchCutter(
            sampling: PatchSampling(
                patch: patch, box: spatial.initialPatch(for: patch), oversampling: .probability(0)),
            spatial: spatial, transforms: .pretraining)
    }

    /// The MedISeg survey's patches (GTAug-A and GTAug-B): scaling, quarter turns in plane and mirroring; noise and gamma.
    ///
    /// Every patch is scaled. The survey draws how much larger things get from 0.85 to 1.25; here it is how much smaller,
    /// from 1/1.25 to 1/0.85.
    public static func survey(
        patch: Extent3, oversampling: PatchSampling.Oversampling = .share(0.33), intensity: Bool, geometry: Bool,
        mirroredAxes: Set<Int> = [0, 1, 2]
    ) -> PatchCutter {
        let spatial = SpatialTransform(
            rotationProbability: 0, rotationDegrees: 0, scalingProbability: 1, scaling: .uniform(1 / 1.25...1 / 0.85),
            interpolation: .cubic, keepsSlices: SpatialTransform.keepsSlices(of: patch))
        let axes = patch.depth == 1 ? mirroredAxes.subtracting([0]) : mirroredAxes
        return PatchCutter(
            sampling: PatchSampling(
                patch: patch, box: geometry ? spatial.initialPatch(for: patch) : patch, oversampling: oversampling),
            spatial: geometry ? spatial : nil,
            transforms: TransformList(
                (geometry ? [QuarterTurns(), Mirroring(axes: axes)] as [any PatchTransform] : [])
                    + (intensity ? [BoundedNoise(), Gamma.survey] : [])))
    }

    /// Patches as they are, for validation.
    public static func plain(
        patch: Extent3, oversampling: PatchSampling.Oversampling = .share(0.33)
    ) -> PatchCutter {
        PatchCutter(
            sampling: PatchSampling(patch: patch, oversampling: oversampling), spatial: nil,
            transforms: TransformList([]))
    }

    /// The patch of one sample.
    ///
    /// - Parameters:
    ///   - source: the image to cut from.
    ///   - foreground: voxels to prefer; nil: anywhere.
    ///   - batch: the number of samples in the batch.
    ///   - intensitySeed: decides instead of `seed` what becomes of intensities: another look at the same place.
    /// - Returns: a patch of `sampling.patch` voxels; labels may be -1, see ``Patch/treatOutsideAsBackground()``.
    /// - Throws: what reading `source` throws.
    public func patch(
        from source: some VoxelSource, foreground: ForegroundVoxels?, seed: UInt64, step: Int, sample: Int, batch: Int,
        intensitySeed: UInt64? = nil
    ) throws -> Patch {
        let box = sampling.box(
            in: source.extent, foreground: foreground, seed: seed, step: step, sample: sample, batch: batch)
        let map = spatial?.draw(seed: seed, step: step, sample: sample)
        var patch = try source.patch(
            sampling.patch, in: box, mappedBy: map, interpolation: spatial?.interpolation ?? .linear)
        transforms.apply(to: &patch, seed: seed, intensitySeed: intensitySeed, step: step, sample: sample)
        return patch
    }

    /// The same cuts, turns and mirrorings without changes of intensities, by straight lines: for maps that lie on the grid
    /// of an image and go where it goes.
    public var geometryOnly: PatchCutter {
        var cutter = self
        cutter.spatial?.interpolation = .linear
        cutter.transforms.transforms.removeAll { !$0.movesVoxels }
        return cutter
    }
}

extension VoxelSource {
    /// The patch in the middle of a box, turned and scaled by `map`; as it is where `map` is nil.
    ///
    /// Voxels beyond the source or the box are 0, their label -1. Only the part of the box that the patch looks at is read.
    /// - Parameter interpolation: of the image, `linear` or `cubic`; labels are always interpolated linearly.
    public func patch(
        _ extent: Extent3, in box: VoxelBox, mappedBy map: SpatialMap?, interpolation: Interpolation = .linear
    ) throws -> Patch {
        guard let map else { return try patch(in: box.centered(extent)) }
        let grid = SamplingGrid(map, patch: extent, in: box)
        // A spline's coefficient depends on all voxels, but beyond twelve no longer in single precision.
        let region = grid.bounds(margin: interpolation == .cubic ? 14 : 0).intersection(box)
        guard region.extent.volume > 0 else {
            return Patch(paddingOf: extent, channels: channels, isLabeled: isLabeled)
        }
        let part = try patch(in: region)
        let local = grid.relative(to: region)
        let image: [Float]
        if interpolation == .cubic {
            let coefficients = splineCoefficients(of: part.image, extent: part.extent, channels: channels)
            let limits = VoxelBox(origin: (0..<3).map { box.origin[$0] - region.origin[$0] }, extent: box.extent)
            image = local.sampleCubically(coefficients, extent: part.extent, channels: channels, limits: limits)
        } else {
            image = local.sampleLinearly(part.image, extent: part.extent, channels: channels)
        }
        let labels = part.labels.map { local.sampleLabels($0, extent: part.extent) }
        return Patch(image: image, channels: channels, labels: labels, extent: extent)
    }
}
