import Tensors

/// A U-Net with the parameter names and layouts of dynamic-network-architectures' `ResidualEncoderUNet` or
/// `PlainConvUNet`, by the plan's architecture.
///
/// Parts: `encoder` and `decoder`.
public struct UNet: Module {
    /// The network's numbers.
    public let plan: NetworkPlan
    /// The descending half.
    public let encoder: any UNetEncoder
    /// The ascending half, with the segmentation heads.
    public let decoder: UNetDecoder

    /// A network whose weights are zero until an ``Initializer`` or a file sets them.
    /// - Throws: ``NetworkPlanError`` for a plan that contradicts itself.
    public init(_ plan: NetworkPlan, on cpu: CPU) throws {
        try plan.validate()
        self.init(validated: plan, on: cpu)
    }

    private init(validated plan: NetworkPlan, on cpu: CPU) {
        self.plan = plan
        encoder =
            switch plan.architecture {
            case .resEnc: ResEncEncoder(plan, on: cpu)
            case .plain: PlainEncoder(plan, on: cpu)
            }
        decoder = UNetDecoder(plan, on: cpu)
    }

    /// `encoder` and `decoder`.
    public var members: [Member] { [.module("encoder", encoder), .module("decoder", decoder)] }

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
        decoder(encoder(x, in: phase), outputs: outputs ?? plan.outputs, in: phase)
    }
}
