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

    @Test("parts are published alone, kernels rounded to the nearest bfloat16")
    func parts() throws {
        var publication = Publication(
            name: "half", data: "made up", intendedUse: "Tests.", licence: "CC0-1.0", recipe: nil)
        (publication.parts, publication.rounds) = (["encoder"], true)
        (publication.commands, publication.arithmetic) = (["warmstart pretrain A"], "float32 on avx512")
        let entry = try publication.write(source(), into: folder.path)
        let read = try WeightsFile.read(folder(entry.file))
        #expect(read.card?.transferable == ["encoder"] && read.plan == network.plan)
        let parameters = network.namedParameters.filter { $0.name.hasPrefix("encoder.") }
        #expect(read.weights.tensors.count == parameters.count)
        for (name, parameter) in parameters {
            let tensor = try #require(read.weights.tensors[name])
            #expect(tensor.elementType == (tensor.shape.count > 1 ? .bfloat16 : .float32), "\(name)")
            for (stored, value) in zip(try tensor.floats(), parameter.scalars) {
                // Eight bits of significand: half a unit in the last place.
                #expect(abs(stored - value) <= abs(value) / 256)
            }
        }
        let text = try String(contentsOfFile: folder("half.md"), encoding: .utf8)
        #expect(text.contains("warmstart pretrain A") && text.contains("float32 on avx512"))
        publication.parts = ["head"]
        #expect(throws: PublicationError.self) { try publication.write(source(), into: folder.path) }
        // Ties go to the even neighbour: 1 + 2^-8 to 1, 1 + 3 * 2^-8 to 1 + 2^-6.
        let ties = StoredTensor([1.003_906_25, 1.011_718_75, -.infinity] as [Float], shape: [3])
        #expect(try ties.asBFloat16().floats() == [1, 1.015_625, -.infinity])
    }

    @Test("published weights are called by name, and damaged ones are not")
    func names() throws {
        let publication = Publication(
            name: "small", data: "made up", intendedUse: "Tests.", licence: "CC0-1.0", recipe: nil)
        _ = try publication.write(source(), into: folder.path)
        let published = try WeightsFolder(folder.path)
        #expect(published.names == ["small"])
        #expect(try published.file(named: "small") == folder("small.safetensors"))
        #expect(try published.file(named: "large") == nil)
        let file = try #require(FileHandle(forWritingAtPath: folder("small.safetensors")))
        try file.seekToEnd()
        try file.write(contentsOf: Data([0]))
        try file.close()
        #expect(throws: ChecksumError.self) { try published.file(named: "small") }
    }

    @Test("CT's numbers travel on cards and in nnU-Net's plans", arguments: CheckpointExport.Format.allCases)
    func intensities(format: CheckpointExport.Format) throws {
        var card = card
        card.normalization = ["ct"]
        card.intensities = [.init(mean: 77.5, deviation: 140.25, lower: -958, upper: 327)]
        try SafetensorsFile.write(
            network.storedTensors(everyAlias: true), metadata: card.metadata, to: folder("ct.safetensors"))
        try CheckpointExport(WeightsFile.read(folder("ct.safetensors"))).write(format, to: folder("out"))
        let read = try #require(WeightsFile.read(folder("out")).card)
        #expect(read.normalization == ["ct"])
        // nnssl's plans have no place for them.
        #expect(read.intensities == (format == .nnssl ? [] : card.intensities))
    }

    @Test("the networks of other tools are told from shapes")
    func publishedShapes() throws {
        let cpu = CPU(threads: 1)
        for plan in [
            NetworkPlan(
                encoder: ResNetShape(blocks: [1, 2, 1, 1], hasBottlenecks: true, shortcut: .projected, width: 2),
                inputChannels: 2, outputChannels: 3),
            NetworkPlan(
                encoder: ResNetShape(blocks: [1, 1, 1, 2], hasBottlenecks: false, shortcut: .padded, width: 2),
                outputChannels: 3), NetworkPlan(genesisOfWidth: 2, inputChannels: 2, outputChannels: 3),
        ] {
            let tensors = try UNet(plan, on: cpu).storedTensors(everyAlias: false)
            #expect(NetworkPlan(shapesOf: tensors) == plan)
        }
    }
}
