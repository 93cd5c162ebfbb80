import Tensors

/// `x + up(LReLU(down(x)))`: a small addition behind a residual block that is trained while the block is not.
///
/// `down` and `up` are 1x1x1 convolutions to a few channels and back; `up` starts as zero, and the adapter as the identity.
/// Houlsby et al. 2019, arXiv:1902.00751; for convolutions Rebuffi et al. 2017, arXiv:1705.08045.
public struct ResidualAdapter: Module {
    /// To a few channels.
    public let down: Conv3D
    /// Back to all.
    public let up: Conv3D

    /// An adapter of maps with this many channels.
    /// - Parameter reduction: how many channels become one inside; at least one is left.
    public init(channels: Int, reduction: Int, dimensions: Dimensions = .three, on cpu: CPU) {
        let inner = Self.innerChannels(channels, reduction: reduction)
        down = Conv3D(inputChannels: channels, outputChannels: inner, kernel: 1, dimensions: dimensions, on: cpu)
        up = Conv3D(inputChannels: inner, outputChannels: channels, kernel: 1, dimensions: dimensions, on: cpu)
    }

    static func innerChannels(_ channels: Int, reduction: Int) -> Int { max(1, channels / reduction) }

    /// `down` and `up`.
    public var members: [Member] { [.module("down", down), .module("up", up)] }

    /// - Parameter x: `[N, D, H, W, channels]`; the result has the same shape.
    public func callAsFunction(_ x: Tensor, in phase: Phase) -> Tensor {
        add(x, up(leakyReLU(down(x, in: phase), slope: ConvNormActivation.slope), in: phase))
    }
}
