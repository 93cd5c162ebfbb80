import Tensors

extension NetworkPlan {
    /// A U-Net on a ResNet: nnU-Net's decoder, from the coarsest map up to full resolution, with the ResNet's last map of each
    /// resolution as skip connections and a convolution of the image as the last one; or one of Med3D's heads instead.
    public init(
        encoder shape: ResNetShape, inputChannels: Int = 1, outputChannels: Int, deepSupervision: Bool = false,
        head: Head? = nil
    ) {
        let stages = shape.lastOfResolution
        let first = stages.indices.map { $0 == 0 ? 0 : stages[$0 - 1] + 1 }
        self.init(
            architecture: .resNet, inputChannels: inputChannels, outputChannels: outputChannels,
            features: [max(1, shape.width / 2), shape.width] + stages.map { shape.features[$0] },
            blocks: [1, 1] + zip(first, stages).map { shape.blocks[$0...$1].reduce(0, +) },
            deepSupervision: deepSupervision)
        (resNet, self.head) = (shape, head)
    }

    /// The U-Net of Models Genesis with segmentation heads.
    /// - Parameter width: channels of the first convolution; 32 in the published network.
    public init(genesisOfWidth width: Int, inputChannels: Int = 1, outputChannels: Int, deepSupervision: Bool = false) {
        self.init(
            architecture: .genesis, inputChannels: inputChannels, outputChannels: outputChannels,
            features: (1...4).map { width << $0 }, blocks: [2, 2, 2, 2], decoderConvolutions: [2, 2, 2],
            deepSupervision: deepSupervision)
    }

    /// The plan of this kind that can be built, for an architecture that leaves no choice; nil for nnU-Net's.
    var published: NetworkPlan? {
        switch architecture {
        case .resEnc, .plain: nil
        case .resNet:
            resNet.map {
                NetworkPlan(
                    encoder: $0, inputChannels: inputChannels, outputChannels: outputChannels,
                    deepSupervision: deepSupervision, head: head)
            }
        case .genesis:
            NetworkPlan(
                genesisOfWidth: max(1, features[0] / 2), inputChannels: inputChannels, outputChannels: outputChannels,
                deepSupervision: deepSupervision
            ).with(head)
        }
    }

    private func with(_ head: Head?) -> NetworkPlan {
        var plan = self
        plan.head = head
        return plan
    }

    /// The encoder in words, such as `ResNet-18 of MedicalNet's kind (shortcuts A)`.
    public var encoderTitle: String {
        switch architecture {
        case .resEnc: return "a residual encoder of \(stages) stages"
        case .plain: return "a plain encoder of \(stages) stages"
        case .genesis: return "the encoder of Models Genesis"
        case .resNet:
            guard let resNet else { return "a ResNet" }
            let name =
                (resNet.depth.map { "ResNet-\($0.rawValue)" } ?? "ResNet")
                + (resNet.width == 64 ? "" : " of width \(resNet.width)")
            return resNet.isDilated
                ? "\(name) of MedicalNet's kind (shortcuts \(resNet.shortcut.rawValue))" : "\(name) inflated from 2D"
        }
    }
}

extension NetworkPlan {
    /// Whether weights of the one encoder may fit the other: both are built alike, whatever their widths. Dilation does not
    /// matter: no weight depends on it.
    public func hasKindOfEncoder(of other: NetworkPlan) -> Bool {
        func weights(_ plan: NetworkPlan) -> ResNetShape? {
            plan.resNet.map {
                ResNetShape(
                    blocks: $0.blocks, hasBottlenecks: $0.hasBottlenecks, shortcut: $0.shortcut, width: $0.width)
            }
        }
        return architecture == other.architecture && weights(self) == weights(other)
    }
}
