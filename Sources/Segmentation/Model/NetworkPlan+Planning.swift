import Networks
import Volumes

extension NetworkPlan {
    /// The network that a dataset's plan describes.
    ///
    /// - Parameter deepSupervision: whether a call gives the logits of every decoder level.
    public init(_ plan: Plan, deepSupervision: Bool = false) {
        let topology = plan.network
        self.init(
            architecture: Self.architectures.first { $0.planned == topology.architecture }?.built ?? .resEnc,
            dimensions: plan.patch.depth == 1 ? .two : .three, inputChannels: plan.channels.count,
            outputChannels: plan.outputChannels, features: topology.features, strides: topology.strides,
            kernels: topology.kernels, blocks: topology.blocks,
            // Plans list levels from full resolution downwards, networks from the bottleneck upwards.
            decoderConvolutions: topology.decoderConvolutions.reversed(), deepSupervision: deepSupervision,
            norm: topology.norm)
        (adapterReduction, resNet, head) = (topology.adapterReduction, topology.resNet, topology.head)
    }

    /// The numbers of the network as a dataset's plan keeps them.
    public var topology: NetworkTopology {
        var topology = NetworkTopology(
            architecture: Self.architectures.first { $0.built == architecture }?.planned ?? .residual,
            features: features, strides: strides, kernels: kernels, blocks: blocks,
            decoderConvolutions: decoderConvolutions.reversed(), resNet: resNet)
        (topology.head, topology.norm, topology.adapterReduction) = (head, norm, adapterReduction)
        return topology
    }

    private static let architectures: [(planned: NetworkTopology.Architecture, built: Architecture)] = [
        (.plain, .plain), (.residual, .resEnc), (.resNet, .resNet), (.genesis, .genesis),
    ]
}
