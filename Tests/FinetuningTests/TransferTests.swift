import Finetuning
import Networks
import Tensors
import Testing
import WeightFiles

struct TransferTests {
    private let cpu = CPU(threads: 2)

    private func network(
        channels: Int = 1, classes: Int = 3, features: [Int] = [4, 8, 8], blocks: [Int] = [1, 1, 2],
        architecture: NetworkPlan.Architecture = .resEnc, seed: UInt64 = 1
    ) throws -> UNet {
        let network = try UNet(
            NetworkPlan(
                architecture: architecture, inputChannels: channels, outputChannels: classes, features: features,
                blocks: blocks), on: cpu)
        Initializer.pytorchDefault.initialize(network, seed: seed)
        return network
    }

    /// Pre-trained weights with parts that no segmentation network has.
    private func file(_ network: UNet) -> SafetensorsFile {
        var tensors = network.storedTensors(everyAlias: false)
        tensors["mask_tokens.0"] = StoredTensor([1, 2, 3, 4] as [Float], shape: [1, 4, 1, 1, 1])
        return SafetensorsFile(tensors: tensors)
    }

    private func values(_ network: UNet) -> [String: [Float]] {
        Dictionary(uniqueKeysWithValues: network.namedParameters.map { ($0.name, $0.parameter.scalars) })
    }

    @Test(arguments: TransferMode.allCases)
    func exactlyThePartsOfTheModeAreTaken(mode: TransferMode) throws {
        // Other classes: heads must not even be looked at.
        let (pretrained, network) = (try network(classes: 1), try network(seed: 2))
        let (before, wanted) = (values(network), values(pretrained))
        let report = try Transfer(mode)(file(pretrained), to: network.namedParameters)
        for (name, value) in values(network) {
            let isTaken =
                mode != .none
                && (name.hasPrefix("encoder.")
                    || mode == .encoderAndDecoder && name.hasPrefix("decoder.") && !name.contains("seg_layers"))
            #expect(value == (isTaken ? wanted[name] : before[name]), "\(name)")
            #expect(report.taken.contains(name) == isTaken)
            #expect(report.untouched.contains(name) == !isTaken)
            if !isTaken && name.hasSuffix("conv.weight") { #expect(value != wanted[name], "\(name)") }
        }
        // Every tensor of the file is accounted for, once.
        let accounted = report.taken + report.replicated + report.skipped.map(\.name)
        #expect(accounted.sorted() == file(pretrained).tensors.keys.sorted())
        #expect(report.skipped.contains { $0.name == "mask_tokens.0" && $0.reason.contains("pre-training method") })
        #expect(report.skipped.contains { $0.name.contains("seg_layers") && $0.reason.contains("heads") })
    }

    @Test(arguments: [NetworkPlan.Architecture.resEnc, .plain])
    func aReplicatedStemSeesEqualChannelsAsTheOneItWasTrainedOn(architecture: NetworkPlan.Architecture) throws {
        let single = try network(blocks: [1, 1, 1], architecture: architecture)
        let several = try network(channels: 3, blocks: [1, 1, 1], architecture: architecture, seed: 2)
        let report = try Transfer(.encoderAndDecoder)(file(single), to: several.namedParameters)
        let name = try #require(report.replicated.first)
        #expect(report.replicated.count == 1)
        let parameters = Dictionary(uniqueKeysWithValues: several.namedParameters.map { ($0.name, $0.parameter) })
        let (stem, original) = (try #require(parameters[name]).scalars, try #require(values(single)[name]))
        for output in 0..<4 {
            for tap in 0..<27 {
                let sum = (0..<3).map { stem[(output * 3 + $0) * 27 + tap] }.reduce(0, +)
                #expect(abs(sum - original[output * 27 + tap]) < 1e-6)
            }
        }
        var draws = Draws(seed: 4, purpose: "test")
        let image = (0..<512).map { _ in Float(draws.normal()) }
        let one = single.encoder(Tensor(image, shape: [1, 8, 8, 8, 1], on: cpu), in: .inference)
        let three = several.encoder(
            Tensor(image.flatMap { [$0, $0, $0] }, shape: [1, 8, 8, 8, 3], on: cpu), in: .inference)
        for (a, b) in zip(one, three) { #expect(zip(a.scalars, b.scalars).allSatisfy { abs($0 - $1) < 1e-4 }) }
    }

    @Test func anotherArchitectureIsAnErrorThatNamesTensorAndShapes() throws {
        let pretrained = file(try network())
        let wider = try network(features: [4, 8, 16], seed: 2)
        let before = values(wider)
        let error = #expect(throws: TransferError.self) {
            try Transfer(.encoder)(pretrained, to: wider.namedParameters)
        }
        guard case .shape(_, let name, let found, let expected)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(name == "encoder.stages.2.blocks.0.conv1.conv.weight")
        #expect(found == [8, 8, 3, 3, 3] && expected == [16, 8, 3, 3, 3] && error?.exitCode == 65)
        #expect(error?.description.contains(name) == true && error?.description.contains("[16, 8, 3, 3, 3]") == true)
        #expect(values(wider) == before, "nothing changes")

        #expect(
            throws: TransferError.missing(
                file: "(in memory)", name: "encoder.stages.1.blocks.1.conv1.conv.weight", shape: [8, 8, 3, 3, 3])
        ) { try Transfer(.encoder)(pretrained, to: network(blocks: [1, 2, 2]).namedParameters) }
        #expect(
            throws: TransferError.unexpected(
                file: "(in memory)", name: "encoder.stages.2.blocks.1.conv1.conv.bias", shape: [8])
        ) { try Transfer(.encoder)(pretrained, to: network(blocks: [1, 1, 1]).namedParameters) }
    }

    @Test func severalChannelsDoNotBecomeOne() throws {
        let pretrained = file(try network(channels: 3))
        #expect(
            throws: TransferError.shape(
                file: "(in memory)", name: "encoder.stem.convs.0.conv.weight", found: [4, 3, 3, 3, 3],
                expected: [4, 1, 3, 3, 3])
        ) { try Transfer(.encoder)(pretrained, to: network().namedParameters) }
    }

    @Test func theTrainedTwinOfASparkCheckpointIsTaken() throws {
        let (pretrained, network) = (try network(), try network(seed: 2))
        var tensors = pretrained.storedTensors(everyAlias: true)
        let stale = "encoder.stem.convs.0.conv.weight"
        let shape = try #require(tensors[stale]).shape
        tensors[stale] = StoredTensor([Float](repeating: 9, count: shape.reduce(1, *)), shape: shape)
        let report = try Transfer(.encoder)(SafetensorsFile(tensors: tensors), to: network.namedParameters)
        #expect(values(network)[stale] == values(pretrained)[stale] && report.disagreeing == [stale])
    }
}
