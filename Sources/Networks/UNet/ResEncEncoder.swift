import Tensors

/// A stem and stages of residual blocks: the encoder of nnU-Net's ResEnc U-Nets.
///
/// Parts: `stem.convs.0`, `stages.S.blocks.B`. Isensee et al. 2024, arXiv:2404.09556.
public struct ResEncEncoder: UNetEncoder {
    /// One convolution at full resolution. Its result is not among the maps of the encoder.
    public let stem: ConvStack
    /// Residual blocks, highest resolution first; the first block of a stage carries its stride.
    public let stages: [Stage]

    /// The residual blocks of one resolution.
    public struct Stage: Module {
        /// The blocks, first to last.
        public let blocks: [ResidualBlock]

        /// `blocks.0`, `blocks.1`, ...
        public var members: [Member] { Member.modules("blocks", blocks) }

        /// - Parameter x: `[N, D, H, W, in]`, whose memory may be used up.
        public func callAsFunction(_ x: consuming Tensor, in phase: Phase) -> Tensor {
            var map = x
            for block in blocks { map = block(consume map, in: phase) }
            return map
        }
    }

    /// The encoder of a plan.
    public init(_ plan: NetworkPlan, on cpu: CPU) {
        stem = ConvStack(
            count: 1, inputChannels: plan.inputChannels, outputChannels: plan.features[0], kernel: plan.kernels[0],
            bias: plan.convolutionBias, norm: plan.norm, dimensions: plan.dimensions, on: cpu)
        stages = plan.features.indices.map { stage in
            Stage(
                blocks: (0..<plan.blocks[stage]).map { block in
                    ResidualBlock(
                        inputChannels: plan.features[block == 0 ? max(0, stage - 1) : stage],
                        outputChannels: plan.features[stage], kernel: plan.kernels[stage],
                        stride: block == 0 ? plan.strides[stage] : 1, bias: plan.convolutionBias,
                        norm: plan.norm, adapterReduction: plan.adapterReduction, dimensions: plan.dimensions, on: cpu)
                })
        }
    }

    /// `stem` and `stages.0`, `stages.1`, ...
    public var members: [Member] { [.module("stem", stem)] + Member.modules("stages", stages) }

    /// The stem, then each stage.
    public var layers: [[String]] { [["stem"]] + stages.indices.map { ["stages.\($0)"] } }

    /// The maps of all stages, highest resolution first.
    public func callAsFunction(_ x: Tensor, in phase: Phase) -> [Tensor] {
        guard phase == .recomputing || phase == .recomputingFinest else {
            return maps(ofStem: stem(x, in: phase), in: phase)
        }
        // The stem's map is as large as any: it is computed again together with the first block.
        let block = stages[0].blocks[0]
        let parameters = stem.namedParameters + block.namedParameters
        let first = recomputed([x], parameters: parameters.map(\.parameter)) {
            block(stem($0[0], in: $1), in: $1)
        }
        let finest = stages[0].blocks.dropFirst().reduce(first) { map, block in block(map, in: .recomputing) }
        return [finest] + stages.dropFirst().running(from: finest) { stage, map in stage(map, in: phase) }
    }

    /// The maps of all stages from the stem's result `[N, D, H, W, features[0]]`.
    public func maps(ofStem stemMap: consuming Tensor, in phase: Phase) -> [Tensor] {
        let finest = stages[0](stemMap, in: phase)
        return [finest] + stages.dropFirst().running(from: finest) { stage, map in stage(map, in: phase) }
    }
}
