import Tensors

/// The descending half of a U-Net.
///
/// An encoder runs dense or masked with the same code: the mask travels on the map (``Tensors/hide(_:_:)``).
public protocol UNetEncoder: Module {
    /// The maps of all stages, highest resolution first; the last is the bottleneck.
    ///
    /// An encoder of a strided stem has no map of full resolution; see ``UNet``.
    /// - Parameter x: `[N, D, H, W, inputChannels]`, an extent that ``NetworkPlan/check(extent:)`` accepts.
    func callAsFunction(_ x: Tensor, in phase: Phase) -> [Tensor]
    /// The names of the parts of each layer, from the input on.
    var layers: [[String]] { get }
}

extension Sequence {
    /// The results of applying each layer to the result of the one before, starting with `x`.
    func running(from x: Tensor, _ apply: (Element, Tensor) -> Tensor) -> [Tensor] {
        var maps: [Tensor] = []
        for layer in self { maps.append(apply(layer, maps.last ?? x)) }
        return maps
    }
}
