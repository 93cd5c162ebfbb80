import Tensors

/// The ascending half of Models Genesis' U-Net: a transposed convolution that keeps the channels, the skip connection behind
/// it, two convolutions. Zhou et al. 2019, arXiv:1908.06912.
///
/// Parts: `up_tr256.up_conv`, `up_tr256`, `up_tr128`, `up_tr64` and the head `out_tr.final_conv`; `seg_layers.I` are ours, for
/// deep supervision.
public struct GenesisDecoder: LevelDecoder {
    /// Upsampling, lowest resolution first.
    public let upsamplers: [ConvTranspose3D]
    /// Two convolutions after each concatenation.
    public let stages: [GenesisLevel]
    /// 1x1x1 convolutions to the output channels: of all levels, or of full resolution alone.
    public let heads: [Conv3D]

    /// A decoder whose convolutions are zero until an ``Initializer`` or a file sets them.
    ///
    /// - Parameters:
    ///   - width: channels of the network's first convolution.
    ///   - headsEverywhere: whether the lower levels have heads, which the published network lacks.
    public init(
        outputChannels: Int = 1, width: Int = 32, headsEverywhere: Bool = false,
        statistics: BatchNorm.Statistics = .batch, on cpu: CPU
    ) {
        let skips = (0..<3).reversed().map { width << ($0 + 1) }
        upsamplers = skips.map {
            ConvTranspose3D(inputChannels: 2 * $0, outputChannels: 2 * $0, stride: 2, on: cpu)
        }
        stages = skips.map { GenesisLevel(channels: [3 * $0, $0, $0], statistics: statistics, on: cpu) }
        heads = (headsEverywhere ? skips : [skips[2]]).map {
            Conv3D(inputChannels: $0, outputChannels: outputChannels, kernel: 1, on: cpu)
        }
    }

    private static let names = [256, 128, 64].map { "up_tr\($0)" }

    /// The levels, then the heads.
    public var members: [Member] {
        stages.indices.flatMap { level in
            [
                Member.module("\(Self.names[level]).up_conv", upsamplers[level]),
                .module(Self.names[level], stages[level]),
            ]
        } + Member.modules("seg_layers", heads.dropLast()) + [.module("out_tr.final_conv", heads[heads.count - 1])]
    }

    /// The head of full resolution.
    public var lastLayer: Conv3D { heads[heads.count - 1] }

    /// The number of levels.
    public var levels: Int { stages.count }

    /// A level each, with its head.
    public var layers: [[String]] {
        stages.indices.map { level in
            let head = level == levels - 1 ? ["out_tr"] : heads.count == levels ? ["seg_layers.\(level)"] : []
            return [Self.names[level]] + head
        }
    }

    /// The map of a level from the one below and the skip connection.
    public func joined(_ level: Int, _ below: Tensor, _ skip: consuming Tensor, in phase: Phase) -> Tensor {
        stages[level](upsamplers[level](below, joining: skip, in: phase), in: phase)
    }

    /// The logits of a level's map.
    public func logits(_ level: Int, _ map: Tensor, in phase: Phase) -> Tensor {
        heads[level - (levels - heads.count)](map, in: phase)
    }
}
