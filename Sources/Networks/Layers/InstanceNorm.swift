import Tensors

/// Instance norm with a learned scale and shift per channel and no running statistics: training and inference compute
/// the same. On a masked map the statistics are those of the visible voxels.
///
/// Parameters: `weight` and `bias`, `[C]`, ones and zeros at first.
public struct InstanceNorm: NormLayer {
    /// Added to the variance.
    static let epsilon = 1e-5

    /// The scale per channel.
    public let weight: Parameter
    /// The shift per channel.
    public let bias: Parameter

    /// A norm of maps with this many channels.
    public init(channels: Int, on cpu: CPU) {
        weight = Parameter(
            pytorchShape: [channels], layout: .plain, scalars: [Float](repeating: 1, count: channels), on: cpu)
        bias = Parameter(zeros: [channels], on: cpu)
    }

    /// `weight` and `bias`.
    public var members: [Member] { [.parameter("weight", weight), .parameter("bias", bias)] }

    /// `activation(norm(x) + residual)` in one pass.
    ///
    /// - Parameters:
    ///   - x: `[N, D, H, W, C]`; its memory may be used up.
    ///   - slope: of the leaky ReLU for negative values; 1 for none.
    ///   - residual: a map like `x`; its memory may be used up.
    public func callAsFunction(
        _ x: consuming Tensor, slope: Float = 1, residual: consuming Tensor? = nil, in phase: Phase
    ) -> Tensor {
        instanceNorm(
            x, weight: weight.tensor(in: phase), bias: bias.tensor(in: phase), epsilon: Self.epsilon, slope: slope,
            residual: residual)
    }
}
