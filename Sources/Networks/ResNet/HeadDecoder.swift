import Tensors

/// A segmentation head behind the coarsest map alone, its logits enlarged with straight lines to the size of the image: what
/// Med3D puts on its encoder. Chen, Ma, Zheng 2019, arXiv:1904.00625.
///
/// Parts: `conv_seg` or `dense_aspp`, by the plan's head.
public struct HeadDecoder: UNetDecoder {
    private enum Kind {
        case released(ResNetHead)
        case denseASPP(DenseASPP)
    }

    private let kind: Kind

    /// A head on the encoder of a plan.
    init(_ head: NetworkPlan.Head, on shape: ResNetShape, outputChannels: Int, on cpu: CPU) {
        kind =
            switch head {
            case .released:
                .released(
                    ResNetHead(
                        inputChannels: shape.features[3], width: 32, outputChannels: outputChannels,
                        statistics: .ofPhase, on: cpu))
            case .denseASPP:
                .denseASPP(
                    DenseASPP(
                        inputChannels: shape.features[3], middle: 2 * shape.width, growth: shape.width,
                        outputChannels: outputChannels, on: cpu))
            case .classification: preconditionFailure("a classification head gives no map")
            }
    }

    /// The head.
    public var members: [Member] {
        switch kind {
        case .released(let head): [.module("conv_seg", head)]
        case .denseASPP(let head): [.module("dense_aspp", head)]
        }
    }

    /// That of the head.
    public var lastLayer: Conv3D {
        switch kind {
        case .released(let head): head.classifier
        case .denseASPP(let head): head.classifier
        }
    }

    /// One.
    public var layers: [[String]] {
        switch kind {
        case .released: [["conv_seg"]]
        case .denseASPP: [["dense_aspp"]]
        }
    }

    /// Logits of full resolution.
    ///
    /// - Parameters:
    ///   - maps: of the encoder, the first at half the image's resolution.
    ///   - outputs: 1; the lower levels have no heads.
    public func callAsFunction(_ maps: [Tensor], outputs: Int, in phase: Phase) -> [Tensor] {
        check(outputs == 1, "a single head has no \(outputs) outputs")
        let coarsest = finest(maps, in: phase)
        let logits =
            switch kind {
            case .released(let head): head(coarsest, in: phase)
            case .denseASPP(let head): head(coarsest, in: phase)
            }
        let image = maps[0].shape.extent.zipped(with: 2, *)
        return [upsample(logits, to: image, mode: .trilinear(alignCorners: false))]
    }

    /// The map that the head sees: the coarsest.
    public func finest(_ maps: [Tensor], in phase: Phase) -> Tensor { maps[maps.count - 1] }
}
