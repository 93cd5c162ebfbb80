import Networks
import Tensors

/// A 3x3x3 convolution, group norm with a learned scale and shift, and a leaky ReLU of slope 0.2.
///
/// Parts: `conv`, `norm.weight`, `norm.bias`.
public struct ConvGroupNorm: Module {
    /// The convolution.
    public let conv: Conv3D
    private let weight: Parameter
    private let bias: Parameter
    private let groups: Int

    /// A block from `inputChannels` to `outputChannels`, which are normalized in `groups`.
    public init(inputChannels: Int, outputChannels: Int, groups: Int, on cpu: CPU) {
        func parameter(_ value: Float) -> Parameter {
            Parameter(
                pytorchShape: [outputChannels], layout: .plain,
                scalars: [Float](repeating: value, count: outputChannels), on: cpu)
        }
        conv = Conv3D(inputChannels: inputChannels, outputChannels: outputChannels, kernel: 3, on: cpu)
        (weight, bias, self.groups) = (parameter(1), parameter(0), groups)
    }

    /// `conv` and the norm's parameters.
    public var members: [Member] {
        [.module("conv", conv), .parameter("norm.weight", weight), .parameter("norm.bias", bias)]
    }

    /// - Parameter x: `[N, D, H, W, in]`; the result is `[N, D, H, W, out]`.
    public func callAsFunction(_ x: Tensor, in phase: Phase) -> Tensor {
        let normed = groupNorm(
            conv(x, in: phase), groups: groups, weight: weight.tensor(in: phase), bias: bias.tensor(in: phase),
            epsilon: 1e-5)
        return leakyReLU(normed, slope: 0.2)
    }
}

/// Two ``ConvGroupNorm`` in a row, normalized in groups of eight channels.
///
/// Parts: `blocks.0`, `blocks.1`.
struct DoubleConvGroupNorm: Module {
    let blocks: [ConvGroupNorm]

    init(inputChannels: Int, outputChannels: Int, on cpu: CPU) {
        blocks = [inputChannels, outputChannels].map {
            ConvGroupNorm(
                inputChannels: $0, outputChannels: outputChannels, groups: max(1, outputChannels / 8), on: cpu)
        }
    }

    var members: [Member] { Member.modules("blocks", blocks) }

    func callAsFunction(_ x: Tensor, in phase: Phase) -> Tensor { blocks.reduce(x) { $1($0, in: phase) } }
}
