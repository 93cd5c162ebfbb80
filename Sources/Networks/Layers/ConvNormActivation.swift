import Tensors

/// Convolution, norm (instance norm unless told otherwise), and a leaky ReLU of slope 0.01 unless the block is built without.
///
/// Known as `ConvDropoutNormReLU` in dynamic-network-architectures, where its parts also go by `all_modules.0` and
/// `all_modules.1`.
public struct ConvNormActivation: Module {
    /// Slope of every leaky ReLU for negative values.
    public static let slope: Float = 0.01

    /// The convolution.
    public let conv: Conv3D
    /// The norm after it.
    public let norm: any NormLayer
    /// Whether the activation follows.
    public let isActivated: Bool

    /// A block from `inputChannels` to `outputChannels`.
    public init(
        inputChannels: Int, outputChannels: Int, kernel: Extent3, stride: Extent3 = 1, bias: Bool = true,
        isActivated: Bool = true, norm: NormKind? = nil, dimensions: Dimensions = .three, on cpu: CPU
    ) {
        conv = Conv3D(
            inputChannels: inputChannels, outputChannels: outputChannels, kernel: kernel, stride: stride, bias: bias,
            dimensions: dimensions, on: cpu)
        self.norm = (norm ?? .instance).layer(channels: outputChannels, on: cpu)
        self.isActivated = isActivated
    }

    /// `conv` and `norm`.
    public var members: [Member] { [.module("conv", conv), .module("norm", norm)] }

    /// - Parameter x: `[N, D, H, W, in]`, let go as soon as it is convolved; the result is `[N, D', H', W', out]`.
    public func callAsFunction(_ x: consuming Tensor, in phase: Phase) -> Tensor {
        let y = conv(consume x, in: phase)
        return norm(consume y, slope: isActivated ? Self.slope : 1, residual: nil, in: phase)
    }
}
