import Networks
import Tensors
import Training
import WeightFiles

/// A network that follows another one slowly: after every step `key = m key + (1 - m) query`. No gradient flows to it.
public struct KeyEncoder {
    /// The following network.
    public let network: CropEmbedder
    /// `m`.
    public let momentum: Float
    private let average: ModuleAverage

    /// A follower that starts as a copy of `query`.
    public init(_ network: CropEmbedder, following query: CropEmbedder, momentum: Float) {
        (self.network, self.momentum) = (network, momentum)
        average = ModuleAverage(network, following: query)
    }

    /// Moves towards the query network.
    public func follow() { average.follow(momentum: momentum) }

    /// The parameters, under `key/NAME`.
    var state: [String: StoredTensor] { average.state(prefix: "key") }

    /// Takes up ``state``.
    func restore(_ state: SafetensorsFile) throws { try average.restore(state, prefix: "key") }
}
