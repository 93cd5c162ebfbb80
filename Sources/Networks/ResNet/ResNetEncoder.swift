import Tensors

/// A strided stem and four stages of residual blocks: MedicalNet's encoder, or that of an inflated 2D ResNet.
///
/// Parts: `conv1`, `bn1`, `layer1` to `layer4`. The paper's text dilates the last two stages by 2, its code and its weights by
/// 2 and 4. Chen, Ma, Zheng 2019, arXiv:1904.00625.
public struct ResNetEncoder: UNetEncoder {
    /// What the encoder was built from.
    public let shape: ResNetShape
    /// 7x7x7, stride 2.
    public let stem: Conv3D
    /// The norm of the stem.
    public let stemNorm: BatchNorm
    /// The blocks of the four stages.
    public let stages: [[ResNetBlock]]

    /// An encoder whose convolutions are zero until an ``Initializer`` or a file sets them.
    ///
    /// - Parameters:
    ///   - statistics: what the norms use.
    ///   - detachesShortcuts: whether no gradient flows through shortcuts without parameters, as in the published code.
    public init(
        _ shape: ResNetShape, inputChannels: Int = 1, statistics: BatchNorm.Statistics = .ofPhase,
        detachesShortcuts: Bool = false, on cpu: CPU
    ) {
        self.shape = shape
        stem = Conv3D(
            inputChannels: inputChannels, outputChannels: shape.width, kernel: 7, stride: 2, bias: false, on: cpu)
        stemNorm = BatchNorm(channels: shape.width, statistics: statistics, on: cpu)
        var channels = shape.width
        stages = shape.blocks.enumerated().map { stage, count in
            (0..<count).map { index in
                let (stride, dilation) = shape.geometry[stage]
                let block = ResNetBlock(
                    shape, inputChannels: channels, width: shape.width << stage, stride: index == 0 ? stride : 1,
                    dilation: dilation, statistics: statistics, detachesShortcut: detachesShortcuts, on: cpu)
                channels = block.outputChannels
                return block
            }
        }
    }

    /// The stem and the stages.
    public var members: [Member] {
        [.module("conv1", stem), .module("bn1", stemNorm)]
            + stages.enumerated().flatMap { Member.modules("layer\($0.offset + 1)", $0.element) }
    }

    /// The stem, then each stage.
    public var layers: [[String]] { [["conv1", "bn1"]] + (1...4).map { ["layer\($0)"] } }

    /// The last map of each resolution: of the stem (half the input's), of the first stage (a quarter), and so on.
    public func callAsFunction(_ x: Tensor, in phase: Phase) -> [Tensor] {
        let maps = maps(of: x, in: phase)
        return [maps[0]] + shape.lastOfResolution.map { maps[$0 + 1] }
    }

    /// The maps of the stem (half the resolution) and of the four stages, sizes rounded up.
    /// - Parameter x: `[N, D, H, W, inputChannels]`.
    public func maps(of x: Tensor, in phase: Phase) -> [Tensor] {
        let first = relu(stemNorm(stem(x, in: phase), in: phase))
        let pooled = maxPool3D(first, kernel: 3, stride: 2, padding: 1)
        return [first]
            + stages.running(from: pooled) { blocks, map in blocks.reduce(map) { map, block in block(map, in: phase) } }
    }
}
