import Tensors

/// `y = LReLU(norm(conv2(LReLU(norm(conv1(x))))) + skip(x))`: the basic block of ResNet-D.
///
/// `skip` averages over `stride` voxels where the block downsamples, then projects by a 1x1x1 convolution without bias
/// and a norm where it changes the channels. Known as `BasicBlockD` in dynamic-network-architectures.
/// Sources: He et al. 2015, arXiv:1512.03385; He et al. 2018, arXiv:1812.01187.
public struct ResidualBlock: Module {
    /// Carries the stride and changes the channels.
    public let conv1: ConvNormActivation
    /// Has no activation of its own: that follows the addition.
    public let conv2: ConvNormActivation
    /// The projection of the skip connection; `nil` where the channels stay.
    public let projection: ConvNormActivation?
    /// What follows the block; `nil` for nothing.
    public let adapter: ResidualAdapter?
    /// Voxels per axis that become one.
    public let stride: Extent3

    /// A block from `inputChannels` to `outputChannels`.
    /// - Parameter adapterReduction: of the adapter behind the block; `nil` for none.
    public init(
        inputChannels: Int, outputChannels: Int, kernel: Extent3, stride: Extent3 = 1, bias: Bool = true,
        norm: NormKind? = nil, adapterReduction: Int? = nil, dimensions: Dimensions = .three, on cpu: CPU
    ) {
        self.stride = stride
        adapter = adapterReduction.map {
            ResidualAdapter(channels: outputChannels, reduction: $0, dimensions: dimensions, on: cpu)
        }
        conv1 = ConvNormActivation(
            inputChannels: inputChannels, outputChannels: outputChannels, kernel: kernel, stride: stride, bias: bias,
            norm: norm, dimensions: dimensions, on: cpu)
        conv2 = ConvNormActivation(
            inputChannels: outputChannels, outputChannels: outputChannels, kernel: kernel, bias: bias,
            isActivated: false, norm: norm, dimensions: dimensions, on: cpu)
        projection =
            inputChannels == outputChannels
            ? nil
            : ConvNormActivation(
                inputChannels: inputChannels, outputChannels: outputChannels, kernel: 1, bias: false,
                isActivated: false, norm: norm, dimensions: dimensions, on: cpu)
    }

    /// The projection is `skip.1` behind a pooling layer, `skip.0` without one.
    public var members: [Member] {
        [.module("conv1", conv1), .module("conv2", conv2)]
            + (projection.map { [.module(stride == 1 ? "skip.0" : "skip.1", $0)] } ?? [])
            + (adapter.map { [.module("adapter", $0)] } ?? [])
    }

    /// - Parameter x: `[N, D, H, W, in]`, whose memory may be used up, an extent that is a multiple of the stride; the result is
    ///   `[N, D / sD, H / sH, W / sW, out]`.
    public func callAsFunction(_ x: consuming Tensor, in phase: Phase) -> Tensor {
        if phase == .recomputing {
            return recomputed([x], parameters: namedParameters.map(\.parameter)) { self($0[0], in: $1) }
        }
        // Before the skip connection, which may use up x.
        let hidden = conv2.conv(conv1(copy x, in: phase), in: phase)
        let y = conv2.norm(
            consume hidden, slope: ConvNormActivation.slope, residual: skip(consume x, in: phase), in: phase)
        return adapter?(y, in: phase) ?? y
    }

    private func skip(_ x: consuming Tensor, in phase: Phase) -> Tensor {
        let pooled = stride == 1 ? consume x : averagePool3D(x, kernel: stride, stride: stride)
        return projection?(pooled, in: phase) ?? pooled
    }
}
