import Networks
import Tensors

/// The plan as nnU-Net hands it to dynamic-network-architectures.
extension NetworkPlan {
    /// The class in Python.
    var className: String {
        "dynamic_network_architectures.architectures.unet."
            + (architecture == .resEnc ? "ResidualEncoderUNet" : "PlainConvUNet")
    }

    /// The arguments that name classes.
    static let keywordsToImport = ["conv_op", "norm_op", "dropout_op", "nonlin"]

    /// The arguments of the class.
    var keywords: [(key: String, value: PyTorchContent)] {
        let suffix = dimensions == .two ? "2d" : "3d"
        func sizes(_ extents: [Extent3]) -> PyTorchContent {
            .list(extents.map { .integers(Array($0.dimensions.suffix(dimensions.rawValue))) })
        }
        return [
            ("n_stages", .integer(stages)), ("features_per_stage", .integers(features)),
            ("conv_op", .text("torch.nn.modules.conv.Conv\(suffix)")), ("kernel_sizes", sizes(kernels)),
            ("strides", sizes(strides)),
            (architecture == .resEnc ? "n_blocks_per_stage" : "n_conv_per_stage", .integers(blocks)),
            ("n_conv_per_stage_decoder", .integers(decoderConvolutions)), ("conv_bias", .bool(convolutionBias)),
            (
                "norm_op",
                .text("torch.nn.modules.\(norm == .batch ? "batchnorm.Batch" : "instancenorm.Instance")Norm\(suffix)")
            ),
            ("norm_op_kwargs", .dictionary([("eps", .number(1e-5)), ("affine", .bool(true))])), ("dropout_op", .none),
            ("dropout_op_kwargs", .none), ("nonlin", .text("torch.nn.LeakyReLU")),
            ("nonlin_kwargs", .dictionary([("inplace", .bool(true))])),
        ]
    }

    /// What dynamic-network-architectures cannot build; nil if it can.
    var unknownInPython: String? {
        if adapterReduction != nil { return "adapters behind its residual blocks" }
        return norm == .group ? "group norms" : nil
    }

    /// Whether the encoder is built like that of `other`.
    func hasEncoder(of other: NetworkPlan) -> Bool {
        architecture == other.architecture && dimensions == other.dimensions && features == other.features
            && strides == other.strides && kernels == other.kernels && blocks == other.blocks
            && decoderConvolutions == other.decoderConvolutions && convolutionBias == other.convolutionBias
            && norm == other.norm
    }
}
