import Tensors

/// The descending half of Models Genesis' U-Net: four levels, the largest of each eight voxels between them.
///
/// Parts: `down_tr64`, `down_tr128`, `down_tr256`, `down_tr512`; the numbers are those of the published width 32. Zhou et al.
/// 2019, arXiv:1908.06912.
public struct GenesisEncoder: UNetEncoder {
    /// Levels of two convolutions, full resolution first.
    public let levels: [GenesisLevel]

    /// An encoder whose convolutions are zero until an ``Initializer`` or a file sets them.
    /// - Parameter width: channels of the first convolution; the levels' maps have 2, 4, 8 and 16 times as many.
    public init(
        inputChannels: Int = 1, width: Int = 32, statistics: BatchNorm.Statistics = .batch, on cpu: CPU
    ) {
        levels = (0..<4).map { level in
            GenesisLevel(
                channels: [level == 0 ? inputChannels : width << level, width << level, width << (level + 1)],
                statistics: statistics, on: cpu)
        }
    }

    private static let names = [64, 128, 256, 512].map { "down_tr\($0)" }

    /// `down_tr64`, ...
    public var members: [Member] { zip(Self.names, levels).map { .module($0, $1) } }

    /// A level each.
    public var layers: [[String]] { Self.names.map { [$0] } }

    /// The maps of all levels, full resolution first.
    /// - Parameter x: `[N, D, H, W, inputChannels]`, sizes that 8 divides.
    public func callAsFunction(_ x: Tensor, in phase: Phase) -> [Tensor] {
        let first = levels[0](x, in: phase)
        return [first]
            + levels[1...].running(from: first) { level, map in
                level(maxPool3D(map, kernel: 2, stride: 2), in: phase)
            }
    }
}
