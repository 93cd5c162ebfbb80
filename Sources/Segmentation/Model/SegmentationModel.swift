import Networks
import Tensors
import Volumes
import WeightFiles

/// A trained network with the card that says how to use it.
public struct SegmentationModel {
    /// The file of the weights in a run's folder.
    public static let weightsName = "weights.safetensors"

    /// Where the model comes from, for messages.
    public let path: String
    /// Preprocessing, classes, windows.
    public var card: SegmentationModelCard
    /// The network.
    public let network: UNet

    /// A model of a network in memory.
    public init(path: String, card: SegmentationModelCard, network: UNet) {
        (self.path, self.card, self.network) = (path, card, network)
    }

    /// Opens the model of a fine-tuning run.
    /// - Throws: ``SegmentationError/notAModel(path:reason:)``, ``SafetensorsError``, ``ModuleWeightsError``.
    public init(ofRun folder: String, on cpu: CPU) throws {
        let card = try SegmentationModelCard(ofRun: folder)
        let network = try UNet(NetworkPlan(card.plan), on: cpu)
        try network.load(try SafetensorsFile.read("\(folder)/\(Self.weightsName)"))
        self.init(path: folder, card: card, network: network)
    }

    /// The network without deep supervision, as inference uses it.
    var segmenter: Segmenter { { [network] in network($0, outputs: 1, in: .inference)[0] } }
}
