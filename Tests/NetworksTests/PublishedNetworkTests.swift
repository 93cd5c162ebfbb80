import Networks
import Tensors
import Testing

@Suite("U-Nets on the encoders of other tools")
struct PublishedNetworkTests {
    private let cpu = CPU(threads: 2, precision: .float32)

    private func noise(_ shape: Shape, seed: UInt64 = 1) -> Tensor {
        var draws = Draws(seed: seed, purpose: "image")
        return Tensor((0..<shape.count).map { _ in Float(draws.normal()) }, shape: shape, on: cpu)
    }

    private func resNet(isDilated: Bool, hasBottlenecks: Bool = false) -> NetworkPlan {
        NetworkPlan(
            encoder: ResNetShape(
                blocks: [1, 2, 1, 1], hasBottlenecks: hasBottlenecks, shortcut: .projected, width: 4,
                isDilated: isDilated), outputChannels: 3, deepSupervision: true)
    }

    /// methods.md 9.2 counts MedicalNet's backbones.
    @Test(arguments: [(ResNetShape.Depth.ten, 14_355_520), (.eighteen, 32_986_176), (.fifty, 46_155_072)])
    func medicalNetsBackbonesHaveTheirSize(depth: ResNetShape.Depth, parameters: Int) throws {
        let plan = PublishedNetwork.medicalNet(depth).plan(outputChannels: 2)
        try plan.validate()
        #expect(ResNetEncoder(ResNetShape(depth), on: cpu).parameterCount == parameters)
        #expect(plan.features == [32, 64, 64 * (depth == .fifty ? 4 : 1), 512 * (depth == .fifty ? 4 : 1)])
        #expect(plan.resNet?.depth == depth)
    }

    @Test("logits have full resolution, at an eighth or a thirty-second", arguments: [true, false], [true, false])
    func resolution(isDilated: Bool, hasBottlenecks: Bool) throws {
        let plan = resNet(isDilated: isDilated, hasBottlenecks: hasBottlenecks)
        let network = try UNet(plan, on: cpu)
        Initializer.he.initialize(network, seed: 1)
        let edge = isDilated ? 16 : 32
        #expect(plan.totalStride == Extent3(isDilated ? 8 : 32))
        let logits = network(noise([1, edge, edge, edge, 1]), in: .inference)
        #expect(logits.map(\.shape.extent) == (0..<plan.outputs).map { Extent3(edge >> $0) })
        #expect(logits.allSatisfy { $0.shape.channels == 3 && $0.scalars.allSatisfy(\.isFinite) })
        // The encoder's names are the publisher's.
        let names = Set(
            MedicalNetResNet(ResNetPlan(try #require(plan.resNet), outputChannels: 2), on: cpu)
                .namedParameters.map(\.name).filter { !$0.hasPrefix("conv_seg.") }.map { "encoder.\($0)" })
        #expect(Set(network.namedParameters.map(\.name).filter { $0.hasPrefix("encoder.") }) == names)
        #expect(network.namedParameters.contains { $0.name == "decoder.image.convs.0.conv.weight" })
    }

    /// Med3D's heads see the coarsest map alone.
    @Test(
        "a head gives logits of full resolution", arguments: NetworkPlan.Head.allCases.filter { $0 != .classification })
    func heads(head: NetworkPlan.Head) throws {
        var plan = resNet(isDilated: true)
        plan.head = head
        let network = try UNet(plan, on: cpu)
        Initializer.he.initialize(network, seed: 1)
        let x = noise([2, 16, 24, 16, 1])
        let logits = network(x, in: .training)
        #expect(plan.outputs == 1 && logits.map(\.shape) == [[2, 16, 24, 16, 3]])
        #expect(!network.namedParameters.contains { $0.name.hasPrefix("decoder.image") })
        #expect(try UNet(plan, on: cpu).encoder.parameterCount == network.encoder.parameterCount)
        let gradients = Tensor.backward(from: [(logits[0], noise(logits[0].shape, seed: 3))])
        for (name, parameter) in network.namedParameters {
            #expect(gradients[parameter]?.scalars.contains { $0 != 0 } == true, "\(name)")
        }
        if head == .denseASPP {
            // 32 channels come from the encoder, 4 from each branch: everything is kept.
            let kernel = network.namedParameters.first { $0.name == "decoder.dense_aspp.classifier.weight" }
            #expect(kernel?.parameter.pytorchShape == [3, 32 + 5 * 4, 1, 1, 1])
        }
    }

    /// A convolution of stride 2 sees what one of stride 1 sees at every second voxel.
    @Test func dilationChangesNoWeight() throws {
        let plans = [true, false].map { resNet(isDilated: $0) }
        let networks = try plans.map { try UNet($0, on: cpu) }
        let shapes = networks.map { network in
            network.encoder.namedParameters.map { "\($0.name) \($0.parameter.pytorchShape)" }
        }
        #expect(shapes[0] == shapes[1] && plans[0].hasKindOfEncoder(of: plans[1]))
    }

    /// With one sample Genesis' batch statistics are that sample's own.
    @Test func ofOneSampleTheUNetOfModelsGenesisComputesWhatItWasPublishedFor() throws {
        let published = GenesisUNet(outputChannels: 2, width: 2, on: cpu)
        Initializer.pytorchDefault.initialize(published, seed: 3)
        let network = try UNet(NetworkPlan(genesisOfWidth: 2, outputChannels: 2), on: cpu)
        let parts = published.namedParameters.map { name, parameter in
            ("\(name.hasPrefix("down") ? "encoder" : "decoder").\(name)", parameter)
        }
        let source = Dictionary(uniqueKeysWithValues: parts)
        for (name, parameter) in network.namedParameters where !name.contains("seg_layers") {
            parameter.scalars = try #require(source[name], "\(name)").scalars
        }
        let x = noise([1, 8, 16, 8, 1])
        let (expected, actual) = (published.logits(x, in: .training), network(x, in: .training)[0])
        for (a, b) in zip(actual.scalars, expected.scalars) { #expect(abs(a - b) < 1e-5 * max(1, abs(b))) }

        // Nor does anything depend on what else is in the batch.
        let other = noise([1, 8, 16, 8, 1], seed: 2)
        let both = Tensor(x.scalars + other.scalars, shape: [2, 8, 16, 8, 1], on: cpu)
        let together = network(both, in: .inference)[0].scalars
        #expect(Array(together.prefix(actual.shape.count)) == network(x, in: .inference)[0].scalars)
    }

    @Test func aFrozenNormNormalizesWithTheRunningStatistics() {
        let norm = BatchNorm(channels: 1, on: cpu)
        norm.runningMean.scalars = [2]
        norm.weight.isTrainable = false
        let x = Tensor([1, 3, 5, 7], shape: [1, 1, 2, 2, 1], on: cpu)
        #expect(abs(norm(x, in: .training).scalars[3] - 5) < 1e-3)
        #expect(norm.runningMean.scalars == [2] && norm.batchCount.scalars == [0])
    }

    @Test func plansWithOtherNumbersAreRefused() throws {
        for plan in [resNet(isDilated: true), NetworkPlan(genesisOfWidth: 4, outputChannels: 2)] {
            var wrong = plan
            wrong.features[1] += 1
            #expect(throws: NetworkPlanError.otherNumbers(plan.architecture)) { try UNet(wrong, on: cpu) }
            try plan.validate()
        }
        var shapeless = resNet(isDilated: true)
        shapeless.resNet = nil
        #expect(throws: NetworkPlanError.otherNumbers(.resNet)) { try UNet(shapeless, on: cpu) }
    }
}
