import Tensors

/// The 3D U-Net of Models Genesis: every norm uses the batch's statistics, in inference too. Zhou et al. 2019,
/// arXiv:1908.06912.
///
/// Parts: those of ``GenesisEncoder`` and ``GenesisDecoder``.
public struct GenesisUNet: Module {
    /// The descending half.
    public let encoder: GenesisEncoder
    /// The ascending half.
    public let decoder: GenesisDecoder

    /// A network whose convolutions are zero until an ``Initializer`` or a file sets them.
    /// - Parameter width: channels of the first convolution.
    public init(inputChannels: Int = 1, outputChannels: Int = 1, width: Int = 32, on cpu: CPU) {
        encoder = GenesisEncoder(inputChannels: inputChannels, width: width, on: cpu)
        decoder = GenesisDecoder(outputChannels: outputChannels, width: width, on: cpu)
    }

    /// The way down, the way up, the head.
    public var members: [Member] { encoder.members + decoder.members }

    /// `sigmoid(logits)`, `[N, D, H, W, outputChannels]`.
    /// - Parameter x: `[N, D, H, W, inputChannels]`, sizes that 8 divides.
    public func callAsFunction(_ x: Tensor, in phase: Phase) -> Tensor { sigmoid(logits(x, in: phase)) }

    /// The result before the sigmoid.
    public func logits(_ x: Tensor, in phase: Phase) -> Tensor {
        decoder(encoder(x, in: phase), outputs: 1, in: phase)[0]
    }
}
