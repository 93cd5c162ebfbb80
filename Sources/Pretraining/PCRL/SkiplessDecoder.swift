import Networks
import Tensors

/// A U-Net's decoder without skip connections: all that it shows went through the bottleneck.
///
/// Parts: `upsamplers.I`, `stages.I`, `head`.
public struct SkiplessDecoder: Module {
    private let upsamplers: [ConvTranspose3D]
    private let stages: [ConvStack]
    private let head: Conv3D

    /// The decoder of a plan, from the bottleneck upwards.
    public init(_ plan: NetworkPlan, on cpu: CPU) {
        let levels = Array((1..<plan.stages).reversed())
        upsamplers = levels.map {
            ConvTranspose3D(
                inputChannels: plan.features[$0], outputChannels: plan.features[$0 - 1], stride: plan.strides[$0],
                on: cpu)
        }
        stages = levels.map {
            ConvStack(
                count: 1, inputChannels: plan.features[$0 - 1], outputChannels: plan.features[$0 - 1],
                kernel: plan.kernels[$0 - 1], on: cpu)
        }
        head = Conv3D(inputChannels: plan.features[0], outputChannels: 1, kernel: 1, on: cpu)
    }

    /// The levels and the head.
    public var members: [Member] {
        Member.modules("upsamplers", upsamplers) + Member.modules("stages", stages) + [.module("head", head)]
    }

    /// The maps of all levels but that of full resolution, coarsest first.
    public func middles(of bottleneck: Tensor, in phase: Phase) -> [Tensor] {
        var maps: [Tensor] = []
        for level in stages.indices.dropLast() {
            maps.append(stages[level](upsamplers[level](maps.last ?? bottleneck, in: phase), in: phase))
        }
        return maps
    }

    /// The image, from the finest of ``middles(of:in:)``.
    public func image(of finest: Tensor, in phase: Phase) -> Tensor {
        let last = stages.count - 1
        return head(stages[last](upsamplers[last](finest, in: phase), in: phase), in: phase)
    }
}
