import Tensors

/// Blocks of convolution, norm and activation in a row; the first carries the stride and changes the channels.
///
/// Parts: `convs.0`, `convs.1`, ... Known as `StackedConvBlocks` in dynamic-network-architectures.
public struct ConvStack: Module {
    /// The blocks, first to last.
    public let convs: [ConvNormActivation]

    /// A stack of `count` blocks.
    public init(
        count: Int, inputChannels: Int, outputChannels: Int, kernel: Extent3, stride: Extent3 = 1, bias: Bool = true,
        norm: NormKind? = nil, dimensions: Dimensions = .three, on cpu: CPU
    ) {
        convs = (0..<count).map { index in
            ConvNormActivation(
                inputChannels: index == 0 ? inputChannels : outputChannels, outputChannels: outputChannels,
                kernel: kernel, stride: index == 0 ? stride : 1, bias: bias, norm: norm, dimensions: dimensions,
                on: cpu)
        }
    }

    /// `convs.0`, `convs.1`, ...
    public var members: [Member] { Member.modules("convs", convs) }

    /// - Parameter x: `[N, D, H, W, in]`, let go as soon as it is convolved; the result is `[N, D', H', W', out]`.
    public func callAsFunction(_ x: consuming Tensor, in phase: Phase) -> Tensor {
        var map = x
        for conv in convs { map = conv(consume map, in: phase) }
        return map
    }
}
