import Networks
import Tensors

/// A U-Net whose encoder sees the visible blocks of a volume only, and whose decoder rebuilds the hidden ones.
///
/// 1. The input is hidden; the encoder's convolutions, norms and poolings visit visible voxels only.
/// 2. Each of its maps is made dense: a norm without scale and shift over the visible voxels, a learned token in the
///    hidden ones, then (but for full resolution) a 3x3x3 convolution.
/// 3. The ordinary decoder turns these into one value per voxel and channel.
///
/// Parts: those of the U-Net, `mask_tokens.I` `[1, C, 1, 1, 1]` and, from `I` = 1, `densify_projs.I`. Tian et al. 2023,
/// arXiv:2301.03580; Wald et al. 2024, arXiv:2410.23132. Differs from the public code: hidden values never enter, not even
/// at the borders of blocks, and nothing is hidden at one resolution but visible at another.
public struct Spark3DNetwork: Module {
    /// What is pre-trained.
    public let unet: UNet
    /// What is switched on.
    public let parts: Spark3DParts
    /// What stands for hidden voxels in the map of each stage; empty without tokens.
    public let maskTokens: [Parameter]
    /// Spreads the tokens' neighbours into the hidden blocks, from the second stage on; may be empty.
    public let densifyConvolutions: [Conv3D]

    /// A network whose weights are zero until ``initialize(_:seed:)`` or a file sets them.
    public init(_ unet: UNet, parts: Spark3DParts = Spark3DParts(), on cpu: CPU) {
        let plan = unet.plan
        let edge = Extent3(depth: plan.dimensions == .two ? 1 : 3, height: 3, width: 3)
        (self.unet, self.parts) = (unet, parts)
        maskTokens = (parts.hasTokens ? plan.features : []).map { channels in
            let ones = [Int](repeating: 1, count: plan.dimensions.rawValue)
            return Parameter(
                pytorchShape: Shape([1, channels] + ones), layout: .plain,
                scalars: [Float](repeating: 0, count: channels), on: cpu)
        }
        densifyConvolutions = (parts.convolves ? plan.features : []).dropFirst().map { channels in
            Conv3D(
                inputChannels: channels, outputChannels: channels, kernel: edge, dimensions: plan.dimensions, on: cpu)
        }
    }

    /// The U-Net's parts, `mask_tokens.0`, ... and `densify_projs.1`, ...
    public var members: [Member] {
        unet.members + maskTokens.enumerated().map { .parameter("mask_tokens.\($0.offset)", $0.element) }
            + densifyConvolutions.enumerated().map { .module("densify_projs.\($0.offset + 1)", $0.element) }
    }

    /// Sets all parameters; tokens are normal with deviation 0.02, cut off at ±0.02.
    public func initialize(_ initializer: Initializer, seed: UInt64) {
        initializer.initialize(self, seed: seed)
        for case .parameter(let name, let token) in members {
            var draws = Draws(seed: seed, initializing: name)
            token.scalars = token.scalars.map { _ in
                var value = draws.normal()
                while abs(value) > 1 { value = draws.normal() }
                return Float(0.02 * value)
            }
        }
    }

    /// The rebuilt volume.
    ///
    /// - Parameters:
    ///   - x: `[N, D, H, W, C]`; its hidden voxels are never read, unless ``Spark3DParts/masksInput`` is off.
    ///   - mask: the visible cells, usually one per voxel of the bottleneck.
    /// - Returns: `[N, D, H, W, outputChannels]`, dense.
    public func callAsFunction(_ x: Tensor, mask: BlockMask, in phase: Phase) -> Tensor {
        let phase = phase == .recomputing && normalizesBatches ? .training : phase
        if phase == .recomputing, x.shape.samples > 1 {
            return recomputedSamples(of: x, parameters: namedParameters.map(\.parameter)) { sample, index, phase in
                [self(sample, mask: mask.sample(index), in: phase)]
            }[0]
        }
        let dense = encoded(x, mask: mask, in: phase).enumerated().map { stage, map in
            densified(map, stage: stage, mask: mask, in: phase)
        }
        return unet.decoder(dense, outputs: 1, in: phase)[0]
    }

    /// The encoder's maps, highest resolution first; masked if the encoder is sparse.
    private func encoded(_ x: Tensor, mask: BlockMask, in phase: Phase) -> [Tensor] {
        guard parts.isSparse else {
            return unet.encoder(
                fillHidden(hide(x, mask), token: Tensor(zeros: [x.shape.channels], on: x.cpu)), in: phase)
        }
        guard !parts.masksInput, let encoder = unet.encoder as? ResEncEncoder else {
            return unet.encoder(hide(x, mask), in: phase)
        }
        let stem = encoder.stem.convs[0]
        let map = stem.norm(
            hide(stem.conv(x, in: phase), mask), slope: ConvNormActivation.slope, residual: nil, in: phase)
        return encoder.maps(ofStem: map, in: phase)
    }

    private func densified(_ map: Tensor, stage: Int, mask: BlockMask, in phase: Phase) -> Tensor {
        // A map that is coarser than the mask's grid counts as visible everywhere.
        let isHidable = map.visibility == nil && mask.cell(in: map.shape.extent) != nil
        let masked = isHidable && (parts.normalizes || parts.hasTokens) ? hide(map, mask) : map
        let normed =
            parts.normalizes ? instanceNorm(masked, weight: nil, bias: nil, epsilon: Self.epsilon) : masked
        let token =
            parts.hasTokens ? maskTokens[stage].tensor(in: phase) : Tensor(zeros: [map.shape.channels], on: map.cpu)
        let filled = fillHidden(normed, token: token)
        return stage > 0 && parts.convolves ? densifyConvolutions[stage - 1](filled, in: phase) : filled
    }

    private static let epsilon = 1e-5
}
