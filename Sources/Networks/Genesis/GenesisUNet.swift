import Tensors

/// The 3D U-Net of Models Genesis: every norm uses the batch's statistics, in inference too. Zhou et al. 2019,
/// arXiv:1908.06912.
///
/// Parts: `down_tr64`, `down_tr128`, `down_tr256`, `down_tr512`, `up_tr256`, `up_tr128`, `up_tr64`, `out_tr.final_conv`;
/// the numbers are those of the published width 32.
public struct GenesisUNet: Module {
    private static let names = [64, 128, 256, 512]

    /// Levels of two convolutions, full resolution first.
    public let down: [GenesisLevel]
    /// Upsampling and two convolutions, lowest resolution first.
    public let up: [(upsampler: ConvTranspose3D, level: GenesisLevel)]
    /// 1x1x1.
    public let head: Conv3D

    /// A network whose convolutions are zero until an ``Initializer`` or a file sets them.
    /// - Parameter width: channels of the first convolution.
    public init(inputChannels: Int = 1, outputChannels: Int = 1, width: Int = 32, on cpu: CPU) {
        down = (0..<4).map { level in
            GenesisLevel(
                channels: [level == 0 ? inputChannels : width << level, width << level, width << (level + 1)], on: cpu)
        }
        up = (0..<3).reversed().map { level in
            let (skip, below) = (width << (level + 1), width << (level + 2))
            return (
                ConvTranspose3D(inputChannels: below, outputChannels: below, stride: 2, on: cpu),
                GenesisLevel(channels: [below + skip, skip, skip], on: cpu)
            )
        }
        head = Conv3D(inputChannels: width << 1, outputChannels: outputChannels, kernel: 1, on: cpu)
    }

    /// The way down, the way up, the head.
    public var members: [Member] {
        zip(Self.names, down).map { .module("down_tr\($0)", $1) }
            + zip(Self.names.dropLast().reversed(), up).flatMap { name, part in
                [Member.module("up_tr\(name).up_conv", part.upsampler), .module("up_tr\(name)", part.level)]
            } + [.module("out_tr.final_conv", head)]
    }

    /// `sigmoid(logits)`, `[N, D, H, W, outputChannels]`.
    /// - Parameter x: `[N, D, H, W, inputChannels]`, sizes that 8 divides.
    public func callAsFunction(_ x: Tensor, in phase: Phase) -> Tensor { sigmoid(logits(x, in: phase)) }

    /// The result before the sigmoid.
    public func logits(_ x: Tensor, in phase: Phase) -> Tensor {
        var maps = [down[0](x, in: phase)]
        maps += down[1...].running(from: maps[0]) { level, map in
            level(maxPool3D(map, kernel: 2, stride: 2), in: phase)
        }
        var below = maps.removeLast()
        for (upsampler, level) in up {
            below = level(concatenate([upsampler(below, in: phase), maps.removeLast()]), in: phase)
        }
        return head(below, in: phase)
    }
}

/// Two times convolution, batch norm, ReLU: `ops.0.conv1`, `ops.0.bn1`, `ops.1.conv1`, `ops.1.bn1`.
public struct GenesisLevel: Module {
    /// 3x3x3, with bias.
    public let convs: [Conv3D]
    /// The norm behind each.
    public let norms: [BatchNorm]

    /// - Parameter channels: of the input and of both results.
    init(channels: [Int], on cpu: CPU) {
        convs = zip(channels, channels.dropFirst()).map {
            Conv3D(inputChannels: $0, outputChannels: $1, kernel: 3, on: cpu)
        }
        norms = channels.dropFirst().map { BatchNorm(channels: $0, statistics: .batch, on: cpu) }
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
