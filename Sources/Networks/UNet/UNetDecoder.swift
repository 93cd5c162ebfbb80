import Tensors

/// The ascending half of a U-Net: at each level a transposed convolution, the skip connection beside it, convolution
/// blocks and a segmentation head.
///
/// Levels count from the bottleneck upwards. Parts: `transpconvs.I`, `stages.I.convs.J`, `seg_layers.I`. There is a head
/// at every level, whether it is ever evaluated or not.
public struct UNetDecoder: Module {
    /// The transposed convolutions; kernel and stride are those of the encoder's stage below.
    public let upsamplers: [ConvTranspose3D]
    /// The convolution blocks after each concatenation.
    public let stages: [ConvStack]
    /// 1x1x1 convolutions to the output channels.
    public let heads: [Conv3D]

    /// The decoder of a plan.
    public init(_ plan: NetworkPlan, on cpu: CPU) {
        let stages = Array((1..<plan.features.count).reversed())
        upsamplers = stages.map { below in
            ConvTranspose3D(
                inputChannels: plan.features[below], outputChannels: plan.features[below - 1],
                stride: plan.strides[below], bias: plan.convolutionBias, dimensions: plan.dimensions, on: cpu)
        }
        self.stages = zip(stages, plan.decoderConvolutions).map { below, count in
            ConvStack(
                count: count, inputChannels: 2 * plan.features[below - 1], outputChannels: plan.features[below - 1],
                kernel: plan.kernels[below - 1], bias: plan.convolutionBias, norm: plan.norm,
                dimensions: plan.dimensions, on: cpu)
        }
        heads = stages.map { below in
            Conv3D(
                inputChannels: plan.features[below - 1], outputChannels: plan.outputChannels, kernel: 1,
                dimensions: plan.dimensions, on: cpu)
        }
    }

    /// `transpconvs.I`, `stages.I` and `seg_layers.I`.
    public var members: [Member] {
        Member.modules("transpconvs", upsamplers) + Member.modules("stages", stages)
            + Member.modules("seg_layers", heads)
    }

    /// Logits, full resolution first.
    ///
    /// - Parameters:
    ///   - maps: of the encoder's stages, highest resolution first, dense.
    ///   - outputs: how many heads to evaluate, from full resolution downwards.
    public func callAsFunction(_ maps: [Tensor], outputs: Int, in phase: Phase) -> [Tensor] {
        check((1...stages.count).contains(outputs), "a decoder of \(stages.count) levels has no \(outputs) outputs")
        var logits: [Tensor] = []
        forEachLevel(maps, in: phase) { level, map in
            if level >= stages.count - outputs { logits.insert(heads[level](map, in: phase), at: 0) }
        }
        return logits
    }

    /// The map of full resolution that the last head sees, `[N, D, H, W, features[0]]`.
    ///
    /// - Parameter maps: of the encoder's stages, highest resolution first, dense.
    public func finest(_ maps: [Tensor], in phase: Phase) -> Tensor {
        var finest = maps[0]
        forEachLevel(maps, in: phase) { _, map in finest = map }
        return finest
    }

    private func forEachLevel(_ maps: [Tensor], in phase: Phase, _ body: (_ level: Int, _ map: Tensor) -> Void) {
        check(maps.count == stages.count + 1, "a decoder of \(stages.count) levels got \(maps.count) maps")
        var below = maps[maps.count - 1]
        for level in stages.indices {
            below = joined(level, below, maps[maps.count - 2 - level], in: phase)
            body(level, below)
        }
    }

    /// The map of a level from the one below and the skip connection.
    private func joined(_ level: Int, _ below: Tensor, _ skip: Tensor, in phase: Phase) -> Tensor {
        if phase == .recomputing {
            let parameters = upsamplers[level].namedParameters + stages[level].namedParameters
            return recomputed([below, skip], parameters: parameters.map(\.parameter)) {
                joined(level, $0[0], $0[1], in: .training)
            }
        }
        return stages[level](concatenate([upsamplers[level](below, in: phase), skip]), in: phase)
    }
}
