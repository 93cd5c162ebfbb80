import Networks
import Tensors

/// Writes weights so that the field's other tools load them.
public struct CheckpointExport: Sendable {
    /// For whom.
    public enum Format: String, Sendable, CaseIterable {
        /// A checkpoint that nnU-Net's `-pretrained_weights` takes.
        case nnUNet = "nnunet"
        /// A checkpoint with the adaptation plan by which nnU-Net's fine-tuning trainers adopt weights of nnssl.
        case nnssl
        /// A safetensors file with PyTorch's names.
        case safetensors
    }

    /// The weights by canonical name.
    public let tensors: [String: StoredTensor]
    /// The network.
    public let plan: NetworkPlan
    /// What the weights were trained for, if it is known.
    public let card: TransferCard?
    /// Along which axes (0 is the depth) the network may see images mirrored; nil if it must not.
    public var mirroredAxes: [Int]?
    private let path: String

    /// The export of a U-Net's weights.
    /// - Throws: ``WeightsFileError/otherNetwork(file:network:layout:)``.
    public init(_ file: WeightsFile) throws {
        guard let plan = file.plan else {
            throw WeightsFileError.otherNetwork(file: file.path, network: file.network, layout: file.layout)
        }
        guard plan.architecture == .resEnc || plan.architecture == .plain else {
            throw WeightsFileError.foreignEncoder(file: file.path, encoder: plan.encoderTitle)
        }
        tensors = try file.unet().canonicalTensors.filter {
            $0.key.hasPrefix("encoder.") || $0.key.hasPrefix("decoder.")
        }
        (self.plan, card, path) = (plan, file.card, file.path)
    }

    /// Writes the weights.
    /// - Throws: ``WeightsFileError/incomplete(file:missing:)`` for an encoder alone as nnU-Net's checkpoint,
    ///   ``WeightsFileError/unknownInPython(file:part:)`` for a network that only this suite has; ``FileError``.
    public func write(_ format: Format, to output: String) throws {
        if format != .safetensors, let part = plan.unknownInPython {
            throw WeightsFileError.unknownInPython(file: path, part: part)
        }
        switch format {
        case .nnUNet:
            guard tensors.keys.contains(where: { $0.hasPrefix("decoder.transpconvs.") }) else {
                throw WeightsFileError.incomplete(file: path, missing: "decoder")
            }
            try PyTorchFile.write(.dictionary(nnUNet), to: output)
        case .nnssl: try PyTorchFile.write(.dictionary(nnssl), to: output)
        case .safetensors:
            var aliased: [String: StoredTensor] = [:]
            for (name, tensor) in tensors { for alias in WeightName.aliases(of: name) { aliased[alias] = tensor } }
            try SafetensorsFile.write(aliased, metadata: card?.metadata ?? ["format": "pt"], to: output)
        }
    }

    /// Every weight under each of its names, in one storage.
    private var stateDictionary: PyTorchContent {
        .dictionary(
            tensors.sorted { $0.key < $1.key }.flatMap { name, tensor in
                WeightName.aliases(of: name).map { (key: $0, value: .tensor(tensor, storage: name)) }
            })
    }

    private var nnUNet: [(key: String, value: PyTorchContent)] {
        let plans: PyTorchContent = .dictionary([
            ("dataset_name", .text("Dataset000_Unknown")), ("plans_name", .text("WarmstartPlans")),
            ("transpose_forward", .integers([0, 1, 2])), ("transpose_backward", .integers([0, 1, 2])),
            ("image_reader_writer", .text("SimpleITKIO")),
            ("configurations", .dictionary([("3d_fullres", configuration)])),
            ("foreground_intensity_properties_per_channel", .dictionary(intensities)),
        ])
        let arguments: [(key: String, value: PyTorchContent)] = [
            ("plans", plans), ("configuration", .text("3d_fullres")), ("fold", .text("all")),
            ("dataset_json", .dictionary([])),
        ]
        return [
            ("network_weights", stateDictionary), ("optimizer_state", .dictionary([])), ("grad_scaler_state", .none),
            ("logging", .dictionary([])), ("_best_ema", .none), ("current_epoch", .integer(0)),
            ("init_args", .dictionary(arguments)), ("trainer_name", .text("nnUNetTrainer")),
            ("inference_allowed_mirroring_axes", mirroredAxes.map { .tuple($0.map { .integer($0) }) } ?? .none),
        ]
    }

    /// Keys and values as nnssl's `AdaptationPlan` serializes them.
    private var nnssl: [(key: String, value: PyTorchContent)] {
        let isResEncL = NetworkPreset.l.plan(
            inputChannels: plan.inputChannels, outputChannels: plan.outputChannels
        ).hasEncoder(of: plan)
        let architecture: PyTorchContent = .dictionary([
            ("arch_class_name", .text(isResEncL ? "ResEncL" : plan.className)),
            ("arch_kwargs", isResEncL ? .none : .dictionary(plan.keywords)),
            ("arch_kwargs_requiring_import", isResEncL ? .none : .texts(NetworkPlan.keywordsToImport)),
        ])
        let pretraining: PyTorchContent = .dictionary([
            ("dataset_name", .text("Dataset000_Unknown")), ("plans_name", .text("nnsslPlans")),
            ("original_median_spacing_after_transp", .numbers(card?.spacingMM ?? [1, 1, 1])),
            ("image_reader_writer", .text("SimpleITKIO")), ("transpose_forward", .integers([0, 1, 2])),
            ("transpose_backward", .integers([0, 1, 2])),
            ("configurations", .dictionary([("warmstart", configuration)])),
            ("experiment_planner_used", .text("Warmstart")),
        ])
        let stem = plan.architecture == .resEnc ? "encoder.stem" : "encoder.stages.0"
        let input = plan.architecture == .resEnc ? "encoder.stem.convs.0" : "encoder.stages.0.0.convs.0"
        let adaptation: PyTorchContent = .dictionary([
            ("architecture_plans", architecture), ("pretrain_plan", pretraining),
            ("pretrain_num_input_channels", .integer(plan.inputChannels)),
            ("recommended_downstream_patchsize", .integers(patch)), ("key_to_encoder", .text("encoder.stages")),
            ("key_to_stem", .text(stem)), ("keys_to_in_proj", .texts(["\(input).conv", "\(input).all_modules.0"])),
            ("key_to_lpe", .none),
        ])
        return [
            ("network_weights", stateDictionary), ("optimizer_state", .dictionary([])), ("grad_scaler_state", .none),
            ("logging", .dictionary([])), ("_best_ema", .none), ("current_epoch", .integer(0)),
            ("init_args", .dictionary([])), ("trainer_name", .text(card?.method ?? "Warmstart")),
            ("nnssl_adaptation_plan", adaptation),
        ]
    }

    /// The foreground's intensities by channel, as far as they are known.
    private var intensities: [(key: String, value: PyTorchContent)] {
        (card?.intensities ?? []).enumerated().map { channel, numbers in
            (
                "\(channel)",
                .dictionary([
                    ("mean", .number(numbers.mean)), ("std", .number(numbers.deviation)),
                    ("percentile_00_5", .number(numbers.lower)), ("percentile_99_5", .number(numbers.upper)),
                ])
            )
        }
    }

    private var patch: [Int] { card?.patch.dimensions ?? [Int](repeating: NetworkPreset.l.patchEdge, count: 3) }

    /// A configuration in nnU-Net's plans.
    private var configuration: PyTorchContent {
        let schemes = card?.normalization ?? ["z_score"]
        return .dictionary([
            ("data_identifier", .text("warmstart")), ("preprocessor_name", .text("DefaultPreprocessor")),
            ("batch_size", .integer(2)), ("patch_size", .integers(patch)),
            ("spacing", .numbers(card?.spacingMM ?? [1, 1, 1])),
            ("normalization_schemes", .texts(schemes.map(PyTorchFile.schemeName))),
            ("use_mask_for_norm", .list(schemes.map { _ in .bool(false) })), ("batch_dice", .bool(false)),
            (
                "architecture",
                .dictionary([
                    ("network_class_name", .text(plan.className)), ("arch_kwargs", .dictionary(plan.keywords)),
                    ("_kw_requires_import", .texts(NetworkPlan.keywordsToImport)),
                ])
            ),
        ])
    }
}
