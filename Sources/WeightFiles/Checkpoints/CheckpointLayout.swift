/// Whose conventions a file of weights follows.
public enum CheckpointLayout: String, Sendable, Codable, CaseIterable {
    /// `weights.safetensors` of a run of this suite, with its transfer card.
    case warmstart
    /// `checkpoint_final.pth` of nnU-Net: `network_weights`, `init_args`, `trainer_name`.
    case nnUNet = "nnunet"
    /// A checkpoint of nnssl, like nnU-Net's; most have an `nnssl_adaptation_plan`.
    case nnssl
    /// The names of a U-Net of dynamic-network-architectures and nothing else.
    case unet
    /// A 3D ResNet of MedicalNet; its names have the prefix `module.`.
    case medicalNet = "medicalnet"
    /// The 3D U-Net of Models Genesis.
    case modelsGenesis = "models-genesis"
    /// A 2D ResNet of torchvision or timm.
    case resNet2D = "resnet-2d"
    /// An encoder with a projection head, as SimCLR trains it.
    case simCLR = "simclr"
    /// The encoder of the queries of MoCo, beside that of the keys and the queue.
    case moCo = "moco"
    /// Tensors of which nothing is known.
    case tensors

    /// The layout in words.
    public var title: String {
        switch self {
        case .warmstart: "Warmstart"
        case .nnUNet: "nnU-Net"
        case .nnssl: "nnssl"
        case .unet: "state dictionary of a U-Net"
        case .medicalNet: "MedicalNet"
        case .modelsGenesis: "Models Genesis"
        case .resNet2D: "2D ResNet (torchvision, timm)"
        case .simCLR: "SimCLR"
        case .moCo: "MoCo"
        case .tensors: "tensors of an unknown network"
        }
    }
}

/// The networks whose weights are recognized by their names.
public enum WeightsNetwork: String, Sendable, Codable, CaseIterable {
    /// A U-Net of dynamic-network-architectures, perhaps only its encoder.
    case unet
    /// A 3D ResNet as MedicalNet builds it.
    case resNet3D = "resnet-3d"
    /// A 2D ResNet as torchvision builds it.
    case resNet2D = "resnet-2d"
    /// The U-Net of Models Genesis.
    case genesis
    /// None of these.
    case unknown

    /// The network in words.
    public var title: String {
        switch self {
        case .unet: "a U-Net of nnU-Net's kind"
        case .resNet3D: "a 3D ResNet of MedicalNet's kind"
        case .resNet2D: "a 2D ResNet"
        case .genesis: "the U-Net of Models Genesis"
        case .unknown: "an unknown network"
        }
    }
}
