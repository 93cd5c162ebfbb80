import Networks
import Tensors
import WeightFiles

/// Gives a network the weights of a pre-trained one.
///
/// Strict: every parameter in the parts that are transferred must be in the file with the same shape, and the file must
/// have nothing more there. The one exception is the input: a network of several channels takes a stem that was trained
/// on one.
public struct Transfer: Sendable, Hashable {
    /// Which parts are transferred.
    public var mode: TransferMode

    /// A transfer of the parts of `mode`.
    public init(_ mode: TransferMode) { self.mode = mode }

    /// Sets the parameters of the transferred parts; the others keep their values. Nothing changes if it throws.
    ///
    /// An input convolution `W` trained on one channel becomes `W'[:, c] = W[:, 0] / C` for all C channels, so that the
    /// same image in every channel gives what the one image gave (Wald et al. 2024, Table 8).
    /// - Parameters:
    ///   - parameters: of the network, by their canonical names.
    ///   - buffers: of the network, such as running statistics. They are transferred alike; only
    ///     the number of batches may be missing in the file, as in old ones.
    /// - Throws: ``TransferError``, `SafetensorsError` for a tensor that holds no floating-point numbers.
    public func callAsFunction(
        _ file: SafetensorsFile, to parameters: [(name: String, parameter: Parameter)],
        buffers: [(name: String, buffer: Buffer)] = []
    ) throws -> TransferReport {
        let tensors = file.canonicalTensors
        var report = TransferReport(disagreeing: file.disagreeingNames)
        var values: [(parameter: Parameter, scalars: [Float])] = []
        for (name, parameter) in parameters {
            guard takes(name) else {
                report.untouched.append(name)
                continue
            }
            guard let tensor = tensors[name] else {
                throw TransferError.missing(file: file.path, name: name, shape: parameter.pytorchShape.dimensions)
            }
            let scalars = try tensor.floats()
            if tensor.shape == parameter.pytorchShape.dimensions {
                values.append((parameter, scalars))
                report.taken.append(name)
            } else if let replicated = replicated(scalars, tensor.shape, to: parameter, called: name) {
                values.append((parameter, replicated))
                report.replicated.append(name)
            } else {
                throw TransferError.shape(
                    file: file.path, name: name, found: tensor.shape, expected: parameter.pytorchShape.dimensions)
            }
        }
        var states: [(buffer: Buffer, scalars: [Float])] = []
        for (name, buffer) in buffers {
            guard takes(name), let tensor = tensors[name] else {
                guard !takes(name) || buffer.isInteger else {
                    throw TransferError.missing(file: file.path, name: name, shape: buffer.shape.dimensions)
                }
                report.untouched.append(name)
                continue
            }
            guard tensor.shape == buffer.shape.dimensions else {
                throw TransferError.shape(
                    file: file.path, name: name, found: tensor.shape, expected: buffer.shape.dimensions)
            }
            states.append((buffer, tensor.doubles().map { Float($0) }))
            report.taken.append(name)
        }
        report.skipped = try skipped(
            tensors, known: Set(parameters.map(\.name) + buffers.map(\.name)), file: file)
        for (parameter, scalars) in values { parameter.scalars = scalars }
        for (buffer, scalars) in states { buffer.scalars = scalars }
        return report
    }

    /// Whether the parameter called `name` is transferred.
    func takes(_ name: String) -> Bool {
        switch mode {
        case .none: false
        case .encoder: name.hasPrefix("encoder.")
        case .encoderAndDecoder: name.hasPrefix("encoder.") || (name.hasPrefix("decoder.") && !Self.isHead(name))
        }
    }

    /// The convolution that sees the image: in a residual and in a plain encoder, in a ResNet, in Models Genesis' network.
    static let inputConvolutions = [
        "encoder.stem.convs.0.conv.weight", "encoder.stages.0.0.convs.0.conv.weight", "encoder.conv1.weight",
        "encoder.down_tr64.ops.0.conv1.weight",
    ]

    private static func isHead(_ name: String) -> Bool {
        ["seg_layers", "out_tr", "conv_seg", "dense_aspp"].contains { name.hasPrefix("decoder.\($0).") }
    }

    /// The tensors that are not used. In the transferred parts there must be none.
    private func skipped(
        _ tensors: [String: StoredTensor], known: Set<String>, file: SafetensorsFile
    ) throws -> [TransferReport.Skipped] {
        return try tensors.keys.sorted().compactMap { name in
            if known.contains(name) && takes(name) { return nil }
            guard !takes(name) else {
                throw TransferError.unexpected(file: file.path, name: name, shape: tensors[name]?.shape ?? [])
            }
            let reason =
                if Self.isHead(name) {
                    "segmentation heads are never transferred"
                } else if name.hasPrefix("encoder.") || name.hasPrefix("decoder.") {
                    "transfer is '\(mode.rawValue)'"
                } else {
                    "parts of the pre-training method"
                }
            return TransferReport.Skipped(name: name, reason: reason)
        }
    }

    /// The weights of an input convolution for several channels from those for one; nil where that is not the difference.
    private func replicated(_ scalars: [Float], _ shape: [Int], to parameter: Parameter, called name: String)
        -> [Float]?
    {
        let wanted = parameter.pytorchShape.dimensions
        guard Self.inputConvolutions.contains(name), shape.count == wanted.count, shape.count > 2, shape[1] == 1,
            shape[0] == wanted[0], shape[2...] == wanted[2...]
        else { return nil }
        let (channels, taps) = (wanted[1], wanted[2...].reduce(1, *))
        return (0..<wanted[0]).flatMap { output in
            let kernel = scalars[output * taps..<(output + 1) * taps].map { $0 / Float(channels) }
            return (0..<channels).flatMap { _ in kernel }
        }
    }
}

/// Why pre-trained weights do not fit a network.
public enum TransferError: UserFacingError, Equatable {
    /// The network has a parameter that the file lacks.
    case missing(file: String, name: String, shape: [Int])
    /// The file has a tensor that the network has no place for.
    case unexpected(file: String, name: String, shape: [Int])
    /// A tensor has another shape than the network's parameter.
    case shape(file: String, name: String, found: [Int], expected: [Int])

    /// 65: the file is not for this network.
    public var exitCode: Int32 { ExitStatus.badData }

    /// The tensor, both shapes, and what to do.
    public var description: String {
        switch self {
        case .missing(let file, let name, let shape):
            "\(file) has no \(name), which the network needs with shape \(shape): it was trained with another "
                + "architecture.\n\(Self.advice)"
        case .unexpected(let file, let name, let shape):
            "\(file) has \(name) of shape \(shape), for which the network has no place: it was trained with another "
                + "architecture.\n\(Self.advice)"
        case .shape(let file, let name, let found, let expected):
            "\(file): \(name) has shape \(found), the network needs \(expected).\n"
                + Self.advice
        }
    }

    private static let advice =
        "Fine-tune the network that was pre-trained (plan.preset; of-weights takes it from the file)."
}
