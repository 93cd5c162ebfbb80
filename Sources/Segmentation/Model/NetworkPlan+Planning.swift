import Networks
import Volumes

extension NetworkPlan {
    /// The network that a dataset's plan describes.
    ///
    /// - Parameter deepSupervision: whether a call gives the logits of every decoder level.
    public init(_ plan: Plan, deepSupervision: Bool = false) {
        let topology = plan.network
        self.init(
            architecture: topology.architecture == .plain ? .plain : .resEnc,
            dimensions: plan.patch.depth == 1 ? .two : .three, inputChannels: plan.channels.count,
            outputChannels: plan.outputChannels, features: topology.features, strides: topology.strides,
            kernels: topology.kernels, blocks: topology.blocks,
            // Plans list levels from full resolution downwards, networks from the bottleneck upwards.
            decoderConvolutions: topology.decoderConvolutions.reversed(), deepSupervision: deepSupervision,
            norm: topology.norm.flatMap { NormKind(rawValue: $0.rawValue) })
        adapterReduction = topology.adapterReduction
    }
}
