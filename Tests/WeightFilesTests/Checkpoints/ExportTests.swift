import Foundation
import Networks
import Tensors
import Testing
import WeightFiles

struct ExportTests {
    private let folder: TemporaryFolder
    private let network: UNet
    private let card: TransferCard

    init() throws {
        folder = try TemporaryFolder()
        let plan = NetworkPlan(
            inputChannels: 1, outputChannels: 2, features: [2, 3, 4],
            strides: [1, Extent3(depth: 1, height: 2, width: 2), 2],
            kernels: [Extent3(depth: 1, height: 3, width: 3), 3, 3], blocks: [1, 2, 1], decoderConvolutions: [2, 1])
        network = try UNet(plan, on: CPU(threads: 1))
        Initializer.pytorchDefault.initialize(network, seed: 3)
        card = TransferCard(
            architecture: plan, method: "s3d", patch: Extent3(depth: 8, height: 16, width: 24), spacingMM: [3, 1, 0.5],
            normalization: ["z_score"], transferable: ["encoder", "decoder"])
    }

    private func source() throws -> WeightsFile {
        try SafetensorsFile.write(
            network.storedTensors(everyAlias: true), metadata: card.metadata, to: folder("weights.safetensors"))
        return try WeightsFile.read(folder("weights.safetensors"))
    }

    @Test("what is exported comes back", arguments: CheckpointExport.Format.allCases)
    func roundTrip(format: CheckpointExport.Format) throws {
        try CheckpointExport(source()).write(format, to: folder("out"))
        let read = try WeightsFile.read(folder("out"))
        let layouts: [CheckpointExport.Format: CheckpointLayout] = [
            .nnUNet: .nnUNet, .nnssl: .nnssl, .safetensors: .warmstart,
        ]
        #expect(read.layout == layouts[format])
        #expect(read.weights.tensors == network.storedTensors(everyAlias: true))
        #expect(read.plan == network.plan)
        #expect(read.card?.patch == card.patch && read.card?.spacingMM == card.spacingMM)
        #expect(read.card?.normalization == card.normalization)
    }

    @Test func anEncoderAloneIsNotEnoughForNnUNet() throws {
        let encoder = network.storedTensors(everyAlias: false).filter { $0.key.hasPrefix("encoder.") }
        try SafetensorsFile.write(encoder, metadata: card.metadata, to: folder("encoder.safetensors"))
        let export = try CheckpointExport(WeightsFile.read(folder("encoder.safetensors")))
        #expect(throws: WeightsFileError.self) { try export.write(.nnUNet, to: folder("out.pth")) }
        try export.write(.nnssl, to: folder("out.pth"))
    }

    @Test("the network is told from shapes", arguments: [NetworkPlan.Architecture.resEnc, .plain])
    func shapes(architecture: NetworkPlan.Architecture) throws {
        for dimensions in [Dimensions.two, .three] {
            let plan = NetworkPlan(
                architecture: architecture, dimensions: dimensions, inputChannels: 2, outputChannels: 3,
                features: [2, 4, 4], blocks: [1, 2, 3], decoderConvolutions: [1, 2])
            let tensors = try UNet(plan, on: CPU(threads: 1)).storedTensors(everyAlias: false)
            #expect(NetworkPlan(shapesOf: tensors) == plan)
        }
        #expect(NetworkPlan(shapesOf: [:]) == nil)
    }

    @Test func aPublicationCanBeCheckedAndUsed() throws {
        let publication = Publication(
            name: "small-s3d", data: "made up", intendedUse: "Tests.", licence: "CC0-1.0", recipe: "steps: 3\n")
        let entry = try publication.write(source(), into: folder.path)
        #expect(try WeightsIndex(ofFolder: folder.path).weights == [entry])
        #expect(try SHA256.ofFile(folder("small-s3d.safetensors")) == entry.sha256)
        let text = try String(contentsOfFile: folder("small-s3d.md"), encoding: .utf8)
        #expect(text.contains(entry.sha256) && text.contains("steps: 3") && text.contains("CC0-1.0"))
        let read = try WeightsFile.read(folder("small-s3d.safetensors"))
        #expect(read.card == card)
        #expect(!read.weights.tensors.keys.contains { $0.contains("seg_layers") || $0.contains("all_modules") })
        #expect(throws: PublicationError.badName("a/b")) {
            var bad = publication
            bad.name = "a/b"
            _ = try bad.write(source(), into: folder.path)
        }
    }
}
