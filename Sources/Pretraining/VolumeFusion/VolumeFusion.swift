import Augmentation
import Networks
import Tensors
import Training
import Volumes

/// Blending pairs of patches box by box and predicting the blend of every voxel. Wang et al. 2023, arXiv:2306.16925; settings
/// of the comparison in Wald et al. 2024, arXiv:2410.23132.
public struct VolumeFusion: PretextMethod {
    /// `volume-fusion`.
    public static let name = "volume-fusion"

    /// Mirrored; intensities change before patches are blended.
    public static let defaults = PretextDefaults(augmentation: .mirrored)

    /// How patches are blended.
    public let fusion: BoxFusion
    /// Whether patches come from the middle of their images, as in the public code, instead of anywhere.
    public let isCentered: Bool

    /// Reads `fusion`: the numbers of ``BoxFusion`` and `centered`.
    /// - Throws: `RecipeError`.
    public init(reading section: RecipeSection, for setup: PretrainingSetup) throws {
        let section = try section.section("fusion")
        fusion = try BoxFusion(reading: section)
        isCentered = try section.bool("centered", default: false)
    }

    /// Segmenting levels with the U-Net as it is. A batch takes twice as many patches as it has blends.
    public func task(_ setup: PretrainingSetup, data: PretrainingData, on cpu: CPU) throws
        -> PretextTask<FusionSegmentation>
    {
        var setup = setup
        setup.network.outputChannels = fusion.levels + 1
        let learner = FusionSegmentation(try setup.unet(on: cpu), on: cpu)
        setup.initializer.initialize(learner, seed: setup.seed)
        return PretextTask(
            learner, method: Self.name, setup: setup, data: isCentered ? data.middles(of: setup.patch) : data,
            samples: 2 * setup.batch, arePairs: true,
            views: batch)
    }

    /// Blends patch `i` as foreground and patch `i + B` as background.
    public func batch(of patches: PatchBatch, at place: BatchPlace) -> FusionSegmentation.Batch {
        let (pairs, extent) = (patches.samples / 2, patches.extent)
        let changed = (0..<patches.samples).map { sample in
            var patch = patches.patch(sample)
            if place.phase == .training {
                TransformList.fusion.apply(
                    to: &patch, seed: place.seed, step: place.step, sample: patches.indices[sample])
            }
            return patch
        }
        var (fused, levels): ([Patch], [Int32]) = ([], [])
        for pair in 0..<pairs {
            var draws = place.draws("fusion", sample: patches.indices[pair])
            let map = fusion.levels(in: extent, draws: &draws)
            let voxels = fusion.fused(changed[pair].image, changed[pair + pairs].image, levels: map)
            fused.append(Patch(image: voxels, channels: 1, labels: nil, extent: extent))
            levels += map.map(Int32.init)
        }
        let names = (0..<pairs).map { "\(patches.names[$0]) on \(patches.names[$0 + pairs])" }
        return .init(
            fused: PatchBatch(fused, names: names), levels: LabelMap(samples: pairs, extent: extent, labels: levels))
    }
}

extension TransformList {
    /// What happens to both patches of a pair, at the public code's probabilities; they are mirrored when they are cut.
    static let fusion = TransformList([
        GaussianNoise(), GaussianBlur(), Brightness(), Contrast(), LowResolution(), Gamma.inverted, Gamma.upright,
    ])
}
