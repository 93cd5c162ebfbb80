import Tensors

/// Stages of plain convolution blocks: the encoder of nnU-Net's default U-Net.
///
/// Parts: `stages.S.0.convs.J`; there is no stem. Isensee et al. 2021, Nature Methods 18, 203-211.
public struct PlainEncoder: UNetEncoder {
    /// Convolution blocks, highest resolution first; the first block of a stage carries its stride.
    public let stages: [ConvStack]

    /// The encoder of a plan.
    public init(_ plan: NetworkPlan, on cpu: CPU) {
        stages = plan.features.indices.map { stage in
            ConvStack(
                count: plan.blocks[stage],
                inputChannels: stage == 0 ? plan.inputChannels : plan.features[stage - 1],
                outputChannels: plan.features[stage], kernel: plan.kernels[stage], stride: plan.strides[stage],
                bias: plan.convolutionBias, norm: plan.norm, dimensions: plan.dimensions, on: cpu)
        }
    }

    /// In PyTorch a stage is a sequence of a single stack, hence the zero.
    public var members: [Member] { stages.enumerated().map { .module("stages.\($0.offset).0", $0.element) } }

    /// A stage each.
    public var layers: [[String]] { stages.indices.map { ["stages.\($0)"] } }

    /// The maps of all stages, highest resolution first.
    public func callAsFunction(_ x: Tensor, in phase: Phase) -> [Tensor] {
        stages.running(from: x) { stage, map in stage(map, in: phase) }
    }
}
