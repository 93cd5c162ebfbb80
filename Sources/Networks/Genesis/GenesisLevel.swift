import Tensors

/// Two times convolution, batch norm, ReLU: `ops.0.conv1`, `ops.0.bn1`, `ops.1.conv1`, `ops.1.bn1`.
public struct GenesisLevel: Module {
    /// 3x3x3, with bias.
    public let convs: [Conv3D]
    /// The norm behind each.
    public let norms: [BatchNorm]

    /// - Parameter channels: of the input and of both results.
    init(channels: [Int], statistics: BatchNorm.Statistics, on cpu: CPU) {
        convs = zip(channels, channels.dropFirst()).map {
            Conv3D(inputChannels: $0, outputChannels: $1, kernel: 3, on: cpu)
        }
        norms = channels.dropFirst().map { BatchNorm(channels: $0, statistics: statistics, on: cpu) }
    }

    /// Convolution and norm of each step.
    public var members: [Member] {
        convs.indices.flatMap { index in
            [Member.module("ops.\(index).conv1", convs[index]), .module("ops.\(index).bn1", norms[index])]
        }
    }

    /// - Parameter x: `[N, D, H, W, in]`; the result is `[N, D, H, W, out]`.
    public func callAsFunction(_ x: Tensor, in phase: Phase) -> Tensor {
        zip(convs, norms).reduce(x) { map, step in relu(step.1(step.0(map, in: phase), in: phase)) }
    }
}
