import Networks
import Tensors

extension WeightsFile {
    /// The weights under the names of a U-Net of this suite, whose encoder they then are: MedicalNet's ResNets and 2D ResNets,
    /// which are inflated, and the U-Net of Models Genesis, whose decoder comes along.
    ///
    /// A card says how their publishers prepared images. U-Nets stay as they are, and so does what is not recognized.
    /// - Throws: `SafetensorsError` for kernels that are no floating-point numbers.
    public func asUNet() throws -> WeightsFile {
        switch network {
        case .unet, .unknown: return self
        case .resNet2D: return try inflated().asUNet()
        case .resNet3D: return renamed { $0.hasPrefix("conv_seg.") ? nil : "encoder.\($0)" }
        case .genesis: return renamed { $0.hasPrefix("down_tr") ? "encoder.\($0)" : "decoder.\($0)" }
        }
    }

    /// The plan of ``asUNet()``, without the work of inflating.
    public var planAsUNet: NetworkPlan? {
        switch network {
        case .unet: plan
        case .resNet2D, .resNet3D:
            NetworkPlan.onResNet(shapesOf: weights.tensors, under: "", isDilated: dilatesResNets)
        case .genesis: NetworkPlan.ofGenesis(shapesOf: weights.tensors, down: "", up: "")
        case .unknown: nil
        }
    }

    /// The card of ``asUNet()``: the file's own, or what the publishers of such weights say.
    public var cardAsUNet: TransferCard? {
        card ?? (network == .unet ? nil : planAsUNet.map(layout.card))
    }

    /// Whether a ResNet of this layout dilates its last stages; 2D networks do not.
    var dilatesResNets: Bool { layout == .medicalNet }

    private func renamed(_ rename: (String) -> String?) -> WeightsFile {
        var result = self
        result.network = .unet
        result.weights.tensors = [:]
        for (name, tensor) in weights.tensors.sorted(by: { $0.key < $1.key }) {
            if let ours = rename(name) {
                result.weights.tensors[ours] = tensor
            } else {
                result.skipped.append(SkippedTensor(name: name, reason: "a segmentation head of other classes"))
            }
        }
        for index in result.reshaped.indices {
            result.reshaped[index].name = rename(result.reshaped[index].name) ?? result.reshaped[index].name
        }
        if card == nil, let cardAsUNet { result.weights.metadata.merge(cardAsUNet.metadata) { $1 } }
        return result
    }
}

extension CheckpointLayout {
    /// What the publishers of such weights say of their images. Spacing 0: images kept their own.
    fileprivate func card(for plan: NetworkPlan) -> TransferCard {
        switch plan.architecture {
        case .genesis:
            // Zhou et al. 2019: chest CT, -1000 to 1000 HU to 0 to 1.
            TransferCard(
                architecture: plan, method: rawValue, patch: Extent3(depth: 64, height: 64, width: 32),
                spacingMM: [0, 0, 0], normalization: ["window"],
                intensities: [.init(mean: 0, deviation: 1, lower: -1000, upper: 1000)],
                transferable: ["encoder", "decoder"])
        default:
            // Chen, Ma, Zheng 2019: clipped to percentiles and z-scored, resized to 56x448x448. ImageNet's networks: 224x224.
            TransferCard(
                architecture: plan, method: rawValue,
                patch: self == .medicalNet
                    ? Extent3(depth: 56, height: 448, width: 448) : Extent3(depth: 1, height: 224, width: 224),
                spacingMM: [0, 0, 0], normalization: [self == .medicalNet ? "clipped_z_score" : "z_score"])
        }
    }
}
