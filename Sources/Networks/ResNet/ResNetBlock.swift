import Tensors

/// `y = ReLU(bn(conv(... ReLU(bn1(conv1(x))))) + shortcut(x))`: two 3x3x3 convolutions, or a bottleneck of three.
///
/// Parts: `conv1`, `bn1`, ..., and `downsample.0`, `downsample.1` for a projected shortcut. He et al. 2015,
/// arXiv:1512.03385.
public struct ResNetBlock: Module {
    /// The convolutions, first to last. One of 3x3x3 carries stride and dilation.
    public let convs: [Conv3D]
    /// The norm behind each convolution.
    public let norms: [BatchNorm]
    /// The shortcut's convolution and norm, if it has any.
    public let projection: (conv: Conv3D, norm: BatchNorm)?
    /// Channels that the block gives out.
    public let outputChannels: Int
    private let stride: Extent3
    private let detachesShortcut: Bool

    /// A block of a stage.
    init(
        _ shape: ResNetShape, inputChannels: Int, width: Int, stride: Extent3, dilation: Extent3,
        statistics: BatchNorm.Statistics, detachesShortcut: Bool, on cpu: CPU
    ) {
        func conv(_ input: Int, _ output: Int, kernel: Extent3, stride: Extent3 = 1) -> Conv3D {
            Conv3D(
                inputChannels: input, outputChannels: output, kernel: kernel, stride: stride,
                dilation: kernel == 1 ? 1 : dilation, bias: false, on: cpu)
        }
        outputChannels = width * shape.expansion
        convs =
            shape.hasBottlenecks
            ? [
                conv(inputChannels, width, kernel: 1), conv(width, width, kernel: 3, stride: stride),
                conv(width, outputChannels, kernel: 1),
            ] : [conv(inputChannels, width, kernel: 3, stride: stride), conv(width, width, kernel: 3)]
        norms = convs.map { BatchNorm(channels: $0.weight.pytorchShape[0], statistics: statistics, on: cpu) }
        let changes = stride != 1 || inputChannels != outputChannels
        projection =
            changes && shape.shortcut == .projected
            ? (
                conv(inputChannels, outputChannels, kernel: 1, stride: stride),
                BatchNorm(channels: outputChannels, statistics: statistics, on: cpu)
            ) : nil
        (self.stride, self.detachesShortcut) = (stride, detachesShortcut)
    }

    /// Convolutions and norms in turn, then the projection.
    public var members: [Member] {
        zip(convs, norms).enumerated().flatMap { index, pair in
            [Member.module("conv\(index + 1)", pair.0), .module("bn\(index + 1)", pair.1)]
        } + (projection.map { [.module("downsample.0", $0.conv), .module("downsample.1", $0.norm)] } ?? [])
    }

    /// - Parameter x: `[N, D, H, W, in]`; the result is `[N, D', H', W', out]`, `D'` is `D` over the stride, upwards.
    public func callAsFunction(_ x: Tensor, in phase: Phase) -> Tensor {
        var map = x
        for (index, conv) in convs.enumerated() {
            map = norms[index](conv(map, in: phase), in: phase)
            if index < convs.count - 1 { map = relu(map) }
        }
        return relu(add(map, shortcut(x, in: phase)))
    }

    private func shortcut(_ x: Tensor, in phase: Phase) -> Tensor {
        if let projection { return projection.norm(projection.conv(x, in: phase), in: phase) }
        guard stride != 1 || x.shape.channels != outputChannels else { return x }
        let sampled = averagePool3D(detachesShortcut ? x.detached : x, kernel: 1, stride: stride)
        let missing = outputChannels - x.shape.channels
        guard missing > 0 else { return sampled }
        let zeros = Tensor(
            zeros: Shape(samples: x.shape.samples, extent: sampled.shape.extent, channels: missing), on: x.cpu)
        return concatenate([sampled, zeros])
    }
}
