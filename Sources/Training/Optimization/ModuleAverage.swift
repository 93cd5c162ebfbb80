import Networks
import Tensors
import WeightFiles

/// A network that follows another one slowly: `own = m own + (1 - m) other` after a step. No gradient flows to it.
///
/// The key encoder of MoCo, the teacher of a mean teacher. Low-rank adapters of the other network count as part of its
/// weights.
public struct ModuleAverage {
    /// The following network, which has no adapters.
    public let network: any Module
    /// The network that learns.
    public let leader: any Module

    /// A follower that starts as a copy of `leader`.
    /// - Precondition: both are built alike.
    public init(_ network: any Module, following leader: any Module) {
        (self.network, self.leader) = (network, leader)
        for (own, other) in pairs { own.scalars = other.mergedScalars }
    }

    /// Moves towards the other network; 0 makes it equal. Running statistics of norms are taken as they are.
    public func follow(momentum: Float) {
        for (own, other) in pairs {
            other.tensor(in: .inference).withScalars { target in
                own.update { values in
                    for index in values.indices {
                        values[index] = momentum * values[index] + (1 - momentum) * target[index]
                    }
                }
            }
        }
        for (own, other) in zip(network.namedBuffers, leader.namedBuffers) { own.buffer.scalars = other.buffer.scalars }
    }

    /// Parameters and buffers, under `PREFIX/NAME`.
    public func state(prefix: String) -> [String: StoredTensor] {
        let tensors = network.storedTensors(everyAlias: false)
        return Dictionary(uniqueKeysWithValues: tensors.map { ("\(prefix)/\($0.key)", $0.value) })
    }

    /// Takes up ``state(prefix:)``.
    /// - Throws: `SafetensorsError`, `ModuleWeightsError` for the state of another network.
    public func restore(_ state: SafetensorsFile, prefix: String) throws {
        let own = state.tensors.filter { $0.key.hasPrefix("\(prefix)/") }
        let named = Dictionary(uniqueKeysWithValues: own.map { (String($0.key.dropFirst(prefix.count + 1)), $0.value) })
        try network.load(SafetensorsFile(tensors: named))
    }

    private var pairs: [(own: Parameter, other: Parameter)] {
        zip(network.namedParameters, leader.ownParameters).map { ($0.parameter, $1.parameter) }
    }
}
