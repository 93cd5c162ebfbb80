import Networks
import Tensors
import WeightFiles

/// A network that follows another one slowly: after every step `key = m key + (1 - m) query`. No gradient flows to it.
public struct KeyEncoder {
    /// The following network.
    public let network: CropEmbedder
    /// The network that learns.
    public let query: CropEmbedder
    /// `m`.
    public let momentum: Float

    /// A follower that starts as a copy of `query`.
    public init(_ network: CropEmbedder, following query: CropEmbedder, momentum: Float) {
        (self.network, self.query, self.momentum) = (network, query, momentum)
        for (own, other) in pairs { own.scalars = other.scalars }
    }

    /// Moves towards the query network.
    public func follow() {
        for (own, other) in pairs {
            other.value.withScalars { target in
                own.update { values in
                    for index in values.indices {
                        values[index] = momentum * values[index] + (1 - momentum) * target[index]
                    }
                }
            }
        }
    }

    /// The parameters, under `key/NAME`.
    var state: [String: StoredTensor] {
        let tensors = network.storedTensors(everyAlias: false)
        return Dictionary(uniqueKeysWithValues: tensors.map { ("key/\($0.key)", $0.value) })
    }

    /// Takes up ``state``.
    func restore(_ state: SafetensorsFile) throws {
        for (name, parameter) in network.namedParameters {
            let stored = try state.tensor("key/\(name)")
            guard stored.shape == parameter.pytorchShape.dimensions else {
                throw SafetensorsError.badTensor(
                    file: state.path, tensor: "key/\(name)",
                    problem: "its shape is \(stored.shape), the network's \(parameter.pytorchShape)")
            }
            parameter.scalars = try stored.floats()
        }
    }

    private var pairs: [(own: Parameter, other: Parameter)] {
        zip(network.namedParameters, query.namedParameters).map { ($0.parameter, $1.parameter) }
    }
}
