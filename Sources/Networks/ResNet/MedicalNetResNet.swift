import Tensors

/// MedicalNet's 3D ResNet: a strided stem, four stages of which the last two are dilated (the output is an eighth of the
/// input), and a segmentation head that gives logits at a quarter of the input.
///
/// Parts: `conv1`, `bn1`, `layer1` to `layer4`, `conv_seg`. Chen, Ma, Zheng 2019, arXiv:1904.00625; the paper's text
/// dilates both stages by 2, its code and its weights by 2 and 4.
public struct MedicalNetResNet: Module {
    /// What the network was built from.
    public let plan: ResNetPlan
    /// 7x7x7, stride 2.
    public let stem: Conv3D
    /// The norm of the stem.
    public let stemNorm: BatchNorm
    /// The blocks of the four stages.
    public let stages: [[ResNetBlock]]
    /// The head.
    public let head: ResNetHead

    /// A network whose convolutions are zero until an ``Initializer`` or a file sets them.
    ///
    /// - Parameters:
    ///   - statistics: what the norms use.
    ///   - detachesShortcuts: whether no gradient flows through shortcuts without parameters, as in the published code.
    public init(
        _ plan: ResNetPlan, statistics: BatchNorm.Statistics = .ofPhase, detachesShortcuts: Bool = false, on cpu: CPU
    ) {
        self.plan = plan
        stem = Conv3D(
            inputChannels: plan.inputChannels, outputChannels: plan.width, kernel: 7, stride: 2, bias: false, on: cpu)
        stemNorm = BatchNorm(channels: plan.width, statistics: statistics, on: cpu)
        var channels = plan.width
        stages = plan.blocks.enumerated().map { stage, count in
            (0..<count).map { index in
                let (stride, dilation) = ResNetPlan.geometry[stage]
                let block = ResNetBlock(
                    plan, inputChannels: channels, width: plan.width << stage, stride: index == 0 ? stride : 1,
                    dilation: dilation, statistics: statistics, detachesShortcut: detachesShortcuts, on: cpu)
                channels = block.outputChannels
                return block
            }
        }
        head = ResNetHead(
            inputChannels: channels, width: plan.headWidth, outputChannels: plan.outputChannels,
            statistics: statistics, on: cpu)
    }

    /// The stem, the stages, the head.
    public var members: [Member] {
        [.module("conv1", stem), .module("bn1", stemNorm)]
            + stages.enumerated().flatMap { Member.modules("layer\($0.offset + 1)", $0.element) }
            + [.module("conv_seg", head)]
    }

    /// Logits `[N, D / 4, H / 4, W / 4, outputChannels]`, sizes rounded up to even ones.
    /// - Parameter x: `[N, D, H, W, inputChannels]`.
    public func callAsFunction(_ x: Tensor, in phase: Phase) -> Tensor {
        let maps = maps(of: x, in: phase)
        return head(maps[maps.count - 1], in: phase)
    }

    /// The maps of the stem (half the resolution) and of the four stages (a quarter, then an eighth).
    public func maps(of x: Tensor, in phase: Phase) -> [Tensor] {
        let first = relu(stemNorm(stem(x, in: phase), in: phase))
        let pooled = maxPool3D(first, kernel: 3, stride: 2, padding: 1)
        return [first]
            + stages.running(from: pooled) { blocks, map in blocks.reduce(map) { map, block in block(map, in: phase) } }
    }
}

/// Transposed convolution, norm, ReLU, 3x3x3 convolution, norm, ReLU, 1x1x1 convolution: MedicalNet's `conv_seg`.
public struct ResNetHead: Module {
    private let upsampler: ConvTranspose3D
    private let conv, classifier: Conv3D
    private let norms: [BatchNorm]

    init(inputChannels: Int, width: Int, outputChannels: Int, statistics: BatchNorm.Statistics, on cpu: CPU) {
        upsampler = ConvTranspose3D(inputChannels: inputChannels, outputChannels: width, stride: 2, on: cpu)
        conv = Conv3D(inputChannels: width, outputChannels: width, kernel: 3, bias: false, on: cpu)
        classifier = Conv3D(inputChannels: width, outputChannels: outputChannels, kernel: 1, bias: false, on: cpu)
        norms = (0..<2).map { _ in BatchNorm(channels: width, statistics: statistics, on: cpu) }
    }

    /// The positions in PyTorch's sequence; 2 and 5 are the ReLUs.
    public var members: [Member] {
        [
            .module("0", upsampler), .module("1", norms[0]), .module("3", conv), .module("4", norms[1]),
            .module("6", classifier),
        ]
    }

    /// - Parameter x: `[N, D, H, W, in]`; the result is `[N, 2 D, 2 H, 2 W, out]`.
    public func callAsFunction(_ x: Tensor, in phase: Phase) -> Tensor {
        let upsampled = relu(norms[0](upsampler(x, in: phase), in: phase))
        return classifier(relu(norms[1](conv(upsampled, in: phase), in: phase)), in: phase)
    }
}
