import Tensors

/// MedicalNet's 3D ResNet: an encoder whose last two stages are dilated (the output is an eighth of the input), and a
/// segmentation head that gives logits at a quarter of the input.
///
/// Parts: those of the encoder, and `conv_seg`. Chen, Ma, Zheng 2019, arXiv:1904.00625.
public struct MedicalNetResNet: Module {
    /// What the network was built from.
    public let plan: ResNetPlan
    /// Stem and stages.
    public let encoder: ResNetEncoder
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
        encoder = ResNetEncoder(
            plan.shape, inputChannels: plan.inputChannels, statistics: statistics, detachesShortcuts: detachesShortcuts,
            on: cpu)
        head = ResNetHead(
            inputChannels: plan.shape.features[3], width: plan.headWidth, outputChannels: plan.outputChannels,
            statistics: statistics, on: cpu)
    }

    /// The stem, the stages, the head.
    public var members: [Member] { encoder.members + [.module("conv_seg", head)] }

    /// Logits `[N, D / 4, H / 4, W / 4, outputChannels]`, sizes rounded up to even ones.
    /// - Parameter x: `[N, D, H, W, inputChannels]`.
    public func callAsFunction(_ x: Tensor, in phase: Phase) -> Tensor {
        let maps = encoder.maps(of: x, in: phase)
        return head(maps[maps.count - 1], in: phase)
    }
}

/// Transposed convolution, norm, ReLU, 3x3x3 convolution, norm, ReLU, 1x1x1 convolution: MedicalNet's `conv_seg`.
public struct ResNetHead: Module {
    private let upsampler: ConvTranspose3D
    private let conv: Conv3D
    /// 1x1x1.
    let classifier: Conv3D
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
