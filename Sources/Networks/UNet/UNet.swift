import Tensors

/// A U-Net on the encoder that the plan names: with the parameter names and layouts of dynamic-network-architectures'
/// `ResidualEncoderUNet` or `PlainConvUNet`, or with those of MedicalNet's ResNets or Models Genesis' U-Net in each half.
///
/// Parts: `encoder` and `decoder`. A ResNet has no map of full resolution: there the decoder's last skip connection is
/// `decoder.image`, a convolution of the image.
public struct UNet: Module {
    /// The network's numbers.
    public let plan: NetworkPlan
    /// The descending half.
    public let encoder: any UNetEncoder
    /// The ascending half, with the segmentation heads.
    public let decoder: any UNetDecoder
    /// The convolution of the image that stands in for a map of full resolution.
    public let imageSkip: ConvStack?

    /// A network whose weights are zero until an ``Initializer`` or a file sets them.
    /// - Throws: ``NetworkPlanError`` for a plan that contradicts itself.
    public init(_ plan: NetworkPlan, on cpu: CPU) throws {
        try plan.validate()
        self.init(validated: plan, on: cpu)
    }

    private init(validated plan: NetworkPlan, on cpu: CPU) {
        self.plan = plan
        (encoder, decoder) = (Self.encoder(of: plan, on: cpu), Self.decoder(of: plan, on: cpu))
        imageSkip =
            plan.architecture == .resNet && plan.head == nil
            ? ConvStack(
                count: 1, inputChannels: plan.inputChannels, outputChannels: plan.features[0], kernel: 3, on: cpu)
            : nil
    }

    private static func encoder(of plan: NetworkPlan, on cpu: CPU) -> any UNetEncoder {
        switch plan.architecture {
        case .resEnc: ResEncEncoder(plan, on: cpu)
        case .plain: PlainEncoder(plan, on: cpu)
        case .resNet: ResNetEncoder(plan.validatedResNet, inputChannels: plan.inputChannels, on: cpu)
        case .genesis:
            GenesisEncoder(
                inputChannels: plan.inputChannels, width: plan.features[0] / 2, statistics: .sample, on: cpu)
        }
    }

    private static func decoder(of plan: NetworkPlan, on cpu: CPU) -> any UNetDecoder {
        switch plan.head {
        case .classification:
            ClassificationHead(
                inputChannels: plan.features[plan.stages - 1], outputChannels: plan.outputChannels,
                dimensions: plan.dimensions, on: cpu)
        case let head?:
            HeadDecoder(head, on: plan.validatedResNet, outputChannels: plan.outputChannels, on: cpu)
        case nil where plan.architecture == .genesis:
            GenesisDecoder(
                outputChannels: plan.outputChannels, width: plan.features[0] / 2, headsEverywhere: true,
                statistics: .sample, on: cpu)
        case nil: StackDecoder(plan, on: cpu)
        }
    }

    /// `encoder`, `decoder` and, where there is one, `decoder.image`.
    public var members: [Member] {
        [.module("encoder", encoder), .module("decoder", decoder)]
            + (imageSkip.map { [.module("decoder.image", $0)] } ?? [])
    }

    /// Whether any weight has a low-rank adapter.
    public var hasAdapters: Bool { namedParameters.contains { $0.parameter.adapter != nil } }

    /// A copy whose weights have the changes of low-rank adapters in them, and that has no such adapters.
    public func merged(on cpu: CPU) -> UNet {
        let copy = UNet(validated: plan, on: cpu)
        for (target, source) in zip(copy.namedParameters, ownParameters) {
            target.parameter.scalars = source.parameter.mergedScalars
        }
        for (target, source) in zip(copy.namedBuffers, namedBuffers) { target.buffer.scalars = source.buffer.scalars }
        return copy
    }

    /// Logits, full resolution first: of all levels but the bottleneck with deep supervision, else of full resolution
    /// only.
    ///
    /// - Parameters:
    ///   - x: `[N, D, H, W, inputChannels]`, an extent that ``NetworkPlan/check(extent:)`` accepts.
    ///   - outputs: how many levels to evaluate instead, from full resolution downwards; 1 is what a prediction needs.
    public func callAsFunction(_ x: Tensor, outputs: Int? = nil, in phase: Phase) -> [Tensor] {
        let phase = phase == .recomputing && normalizesBatches ? .training : phase
        if phase == .recomputing, x.shape.samples > 1 {
            return recomputedSamples(of: x, parameters: namedParameters.map(\.parameter)) { sample, _, phase in
                self(sample, outputs: outputs, in: phase)
            }
        }
        return decoder(maps(of: x, in: phase), outputs: outputs ?? plan.outputs, in: phase)
    }

    /// What the decoder gets: the maps of the encoder's stages, highest resolution first, behind that of the image if there is
    /// one.
    public func maps(of x: Tensor, in phase: Phase) -> [Tensor] {
        (imageSkip.map { [$0(x, in: phase)] } ?? []) + encoder(x, in: phase)
    }
}

extension NetworkPlan {
    /// The shape of the ResNet of a plan that has one.
    fileprivate var validatedResNet: ResNetShape {
        guard let resNet else { preconditionFailure("a ResNet's plan that was not validated") }
        return resNet
    }
}
