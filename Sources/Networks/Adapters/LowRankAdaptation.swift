import Tensors

/// Gives convolutions low-rank adapters; ``UNet/merged(on:)`` takes them off again.
public struct LowRankAdaptation: Sendable, Hashable {
    /// The channels between `A` and `B`.
    public var rank: Int
    /// `s` in `W + (s / rank) B A`.
    public var scale: Double

    /// Adapters of this rank; `scale` is twice the rank unless given.
    public init(rank: Int, scale: Double? = nil) { (self.rank, self.scale) = (rank, scale ?? 2 * Double(rank)) }

    /// Adapts each of `parameters` that is the kernel of a convolution. `A` starts like PyTorch's convolutions, uniform in
    /// `±1 / sqrt(fan-in)`, from a stream keyed by the weight's name; `B` as zero.
    /// - Returns: the number of learnable scalars of the adapters.
    @discardableResult
    public func attach(to parameters: [(name: String, parameter: Parameter)], seed: UInt64) -> Int {
        var count = 0
        for (name, parameter) in parameters where parameter.layout == .convolution {
            let inputs = parameter.pytorchShape.count / parameter.pytorchShape[0]
            let bound = 1 / Double(inputs).squareRoot()
            var draws = Draws(seed: seed, initializing: "\(name).lora_down")
            let adapter = LowRankAdapter(
                of: parameter, rank: rank, factor: Float(scale / Double(rank)),
                down: (0..<rank * inputs).map { _ in Float(draws.uniform(in: -bound..<bound)) })
            parameter.adapter = adapter
            count += adapter.count
        }
        return count
    }
}

extension Module {
    /// The parameters without those of low-rank adapters: what a merged network has.
    public var ownParameters: [(name: String, parameter: Parameter)] {
        let added = Set(
            namedParameters.compactMap(\.parameter.adapter).flatMap { [$0.down, $0.up] }.map(ObjectIdentifier.init))
        return namedParameters.filter { !added.contains(ObjectIdentifier($0.parameter)) }
    }
}
