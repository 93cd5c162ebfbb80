import Tensors

/// A norm with a learned scale and shift per channel, and what follows it in a block.
public protocol NormLayer: Module {
    /// The scale per channel, `[C]`.
    var weight: Parameter { get }
    /// The shift per channel, `[C]`.
    var bias: Parameter { get }

    /// `activation(norm(x) + residual)`.
    ///
    /// - Parameters:
    ///   - x: `[N, D, H, W, C]`; its memory may be used up.
    ///   - slope: of the leaky ReLU for negative values; 1 for none.
    ///   - residual: a map like `x`; its memory may be used up.
    func callAsFunction(
        _ x: consuming Tensor, slope: Float, residual: consuming Tensor?, in phase: Phase
    ) -> Tensor
}

/// The norms that a U-Net may have.
public enum NormKind: String, Codable, Sendable, CaseIterable {
    /// Statistics of each sample and channel: nnU-Net's.
    case instance
    /// Statistics of each channel over the batch, running ones in inference: the MedISeg survey's baseline. Dense maps
    /// only, and steady only where batches are not tiny.
    case batch
    /// Statistics of each sample over groups of channels.
    case group

    /// A norm of maps with this many channels.
    func layer(channels: Int, on cpu: CPU) -> any NormLayer {
        switch self {
        case .instance: InstanceNorm(channels: channels, on: cpu)
        case .batch: BatchNorm(channels: channels, on: cpu)
        case .group: GroupNorm(channels: channels, on: cpu)
        }
    }
}

/// Group norm with a learned scale and shift per channel. Wu and He 2018, arXiv:1803.08494.
///
/// Parameters: `weight` and `bias`, `[C]`, ones and zeros at first.
public struct GroupNorm: NormLayer {
    /// Added to the variance.
    static let epsilon = 1e-5

    /// The scale per channel.
    public let weight: Parameter
    /// The shift per channel.
    public let bias: Parameter
    /// The number of groups.
    public let groups: Int

    /// A norm of maps with this many channels in 8 groups, or as many below 8 as divide them.
    public init(channels: Int, on cpu: CPU) {
        weight = Parameter(
            pytorchShape: [channels], layout: .plain, scalars: [Float](repeating: 1, count: channels), on: cpu)
        bias = Parameter(zeros: [channels], on: cpu)
        groups = (1...8).last { channels % $0 == 0 } ?? 1
    }

    /// `weight` and `bias`.
    public var members: [Member] { [.parameter("weight", weight), .parameter("bias", bias)] }

    /// See ``NormLayer/callAsFunction(_:slope:residual:in:)``.
    public func callAsFunction(
        _ x: consuming Tensor, slope: Float, residual: Tensor?, in phase: Phase
    ) -> Tensor {
        let y = groupNorm(
            x, groups: groups, weight: weight.tensor(in: phase), bias: bias.tensor(in: phase), epsilon: Self.epsilon)
        return activated(y, slope: slope, residual: residual)
    }
}

extension BatchNorm {
    /// See ``NormLayer/callAsFunction(_:slope:residual:in:)``.
    public func callAsFunction(_ x: Tensor, slope: Float, residual: Tensor?, in phase: Phase) -> Tensor {
        activated(self(x, in: phase), slope: slope, residual: residual)
    }
}

/// What instance norm does in the same pass.
private func activated(_ y: Tensor, slope: Float, residual: Tensor?) -> Tensor {
    let sum = residual.map { add(y, $0) } ?? y
    return slope == 1 ? sum : leakyReLU(sum, slope: slope)
}
