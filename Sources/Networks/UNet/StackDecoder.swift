import Tensors

/// The ascending half of nnU-Net's U-Nets: at each level a transposed convolution, the skip connection behind it, convolution
/// blocks and a segmentation head.
///
/// Levels count from the bottleneck upwards. Parts: `transpconvs.I`, `stages.I.convs.J`, `seg_layers.I`. There is a head
/// at every level, whether it is ever evaluated or not.
public struct StackDecoder: LevelDecoder {
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

    /// The head of full resolution.
    public var lastLayer: Conv3D { heads[heads.count - 1] }

    /// The number of levels.
    public var levels: Int { stages.count }

    /// A level each, with its head.
    public var layers: [[String]] {
        stages.indices.map { level in ["seg_layers", "stages", "transpconvs"].map { "\($0).\(level)" } }
    }

    /// The logits of a level's map.
    public func logits(_ level: Int, _ map: Tensor, in phase: Phase) -> Tensor { heads[level](map, in: phase) }

    /// The map of a level from the one below and the skip connection.
    public func joined(_ level: Int, _ below: consuming Tensor, _ skip: consuming Tensor, in phase: Phase) -> Tensor {
        // Of a single convolution nothing is kept but its result, as large as the map of the level that would be kept instead.
        if phase == .recomputing, stages[level].convs.count > 1 {
            let parameters = upsamplers[level].namedParameters + stages[level].namedParameters
            return recomputed([below, skip], parameters: parameters.map(\.parameter)) {
                joined(level, $0[0], $0[1], in: $1)
            }
        }
        let map = upsamplers[level](consume below, joining: skip, in: phase)
        return stages[level](consume map, in: phase)
    }
}
