import Foundation
import Networks
import Tensors

/// Weights from any file that the suite reads, under the names of the suite's networks.
///
/// The one door for weights from elsewhere: safetensors files, and PyTorch checkpoints of nnU-Net, nnssl, MedicalNet,
/// Models Genesis, torchvision, timm, SimCLR and MoCo.
public struct WeightsFile: Sendable {
    /// A tensor that has another shape here than in the file.
    public struct Reshaped: Sendable, Hashable, Codable {
        /// Its name here.
        public var name: String
        /// The shapes in the file and here.
        public var from, to: [Int]
        /// What was done, in a few words.
        public var how: String
    }

    /// Whose conventions the file follows.
    public let layout: CheckpointLayout
    /// What the weights are for.
    public internal(set) var network: WeightsNetwork
    /// The weights under our names, which may include PyTorch's duplicates, and the transfer card if one is known.
    public internal(set) var weights: SafetensorsFile
    /// Tensors that were left behind.
    public internal(set) var skipped: [SkippedTensor]
    /// Tensors that were brought into another shape; see ``inflated()``.
    public internal(set) var reshaped: [Reshaped] = []

    /// Where the weights were read from.
    public var path: String { weights.path }
    /// What the weights were trained for, as far as the file tells.
    public var card: TransferCard? { TransferCard(metadata: weights.metadata) }
    /// The U-Net that the weights are for: the card's, or else told from the shapes.
    public var plan: NetworkPlan? {
        network == .unet
            ? card?.architecture ?? NetworkPlan(shapesOf: weights.canonicalTensors, dilatesResNets: dilatesResNets)
            : nil
    }

    /// Reads a file, whatever its name ends in.
    /// - Throws: ``FileError``, ``SafetensorsError``, ``PyTorchError``.
    public static func read(_ path: String) throws -> WeightsFile {
        let content: Data
        do {
            content = try Data(contentsOf: URL(filePath: path), options: .mappedIfSafe)
        } catch {
            throw FileError("read", path, error)
        }
        let headerCount = 8
        let looksLikeSafetensors = content.dropFirst(headerCount).first == UInt8(ascii: "{")
        if looksLikeSafetensors || path.hasSuffix(".safetensors") {
            return WeightsFile(try SafetensorsFile(parsing: content, from: path))
        }
        return WeightsFile(try PyTorchFile(parsing: content, from: path))
    }

    /// The weights of a safetensors file.
    public init(_ file: SafetensorsFile) {
        let isOurs = TransferCard(metadata: file.metadata) != nil
        self.init(
            StateDictionary(file), metadata: file.metadata, path: file.path, tool: isOurs ? .warmstart : nil)
    }

    /// The weights of a PyTorch checkpoint.
    public init(_ file: PyTorchFile) {
        let state = StateDictionary(file)
        let tool: CheckpointLayout? =
            if file.tensors.keys.contains(where: { $0.hasPrefix("network_weights/") }) {
                file.isOfNnssl ? .nnssl : .nnUNet
            } else {
                nil
            }
        self.init(state, metadata: [:], path: file.path, tool: tool)
        if let plan, let card = file.transferCard(architecture: plan) { weights.metadata = card.metadata }
    }

    private init(_ state: StateDictionary, metadata: [String: String], path: String, tool: CheckpointLayout?) {
        let names = tool == .warmstart ? .ours : NetworkNames(of: state.tensors)
        var tensors: [String: StoredTensor] = [:]
        skipped = state.skipped
        for (name, tensor) in state.tensors.sorted(by: { $0.key < $1.key }) {
            if let ours = names.name(of: name) {
                tensors[ours] = tensor
            } else {
                skipped.append(SkippedTensor(name: name, reason: NetworkNames.reason(forSkipping: name)))
            }
        }
        network = names.network
        weights = SafetensorsFile(tensors: tensors, metadata: metadata, path: path)
        // A 3D ResNet's names do not tell that it was inflated; the tool that did it wrote it down.
        let noted = names.network == .resNet3D ? metadata["layout"].flatMap(CheckpointLayout.init(rawValue:)) : nil
        layout = tool ?? noted ?? Self.layout(names, skipped: skipped)
    }

    /// The layout of a dictionary that no tool has signed.
    private static func layout(_ names: NetworkNames, skipped: [SkippedTensor]) -> CheckpointLayout {
        let (key, head) = ("the encoder that only follows the trained one", "a projection head")
        if skipped.contains(where: { $0.reason == key || $0.reason == "the queue of keys" }) { return .moCo }
        if skipped.contains(where: { $0.reason == head }) { return .simCLR }
        switch names.network {
        case .unet: return .unet
        case .resNet3D: return .medicalNet
        case .resNet2D: return .resNet2D
        case .genesis: return .modelsGenesis
        case .unknown: return .tensors
        }
    }

    /// The weights of a U-Net, or of a network that nothing is known of.
    /// - Throws: ``WeightsFileError/otherNetwork(file:network:layout:)`` if they are for something else.
    public func unet() throws -> SafetensorsFile {
        guard network == .unet || network == .unknown || layout == .warmstart else {
            throw WeightsFileError.otherNetwork(file: path, network: network, layout: layout)
        }
        return weights
    }
}

/// Why weights cannot be used as asked.
public enum WeightsFileError: UserFacingError, Equatable {
    /// The weights are for another kind of network than a U-Net.
    case otherNetwork(file: String, network: WeightsNetwork, layout: CheckpointLayout)
    /// nnU-Net and nnssl have no network on this encoder.
    case foreignEncoder(file: String, encoder: String)
    /// Only 2D networks can be inflated.
    case notPlanar(file: String, network: WeightsNetwork)
    /// The tool for which the weights shall be exported needs a part that they lack.
    case incomplete(file: String, missing: String)
    /// The network has a part that nnU-Net's networks lack.
    case unknownInPython(file: String, part: String)

    /// The file is not for this.
    public var exitCode: Int32 { ExitStatus.badData }

    /// The file, what it is for, what to do.
    public var description: String {
        switch self {
        case .otherNetwork(let file, let network, let layout):
            "\(file) (\(layout.title)) holds \(network.title), not a U-Net of nnU-Net's kind.\n"
                + "Start from weights of a U-Net; `warmstart weights show` tells what a file holds."
        case .foreignEncoder(let file, let encoder):
            "\(file) is for \(encoder): nnU-Net and nnssl have no network on it."
        case .notPlanar(let file, let network):
            "\(file) holds \(network.title): only a 2D ResNet can be inflated."
        case .incomplete(let file, let missing):
            "\(file) has no \(missing), which nnU-Net's -pretrained_weights needs: export for nnssl or as safetensors."
        case .unknownInPython(let file, let part):
            "\(file) has \(part), which nnU-Net's networks lack: export as safetensors."
        }
    }
}
