import Networks
import Tensors
import Testing

struct AdapterTests {
    private let cpu = CPU(threads: 2)

    private func network(_ plan: NetworkPlan, seed: UInt64 = 1) throws -> UNet {
        let network = try UNet(plan, on: cpu)
        Initializer.pytorchDefault.initialize(network, seed: seed)
        return network
    }

    private func input(_ plan: NetworkPlan, samples: Int = 1) -> Tensor {
        .noise(
            Shape(
                samples: samples,
                extent: plan.padded(plan.dimensions == .two ? Extent3(depth: 1, height: 8, width: 8) : 8),
                channels: plan.inputChannels),
            on: cpu)
    }

    private func output(_ network: UNet) -> [Float] {
        network(input(network.plan), in: .inference).flatMap(\.scalars)
    }

    /// Both kinds start as the network they are added to, and only they have gradients where that is frozen.
    @Test(arguments: UNet.variety)
    func lowRankAdaptersStartAsNothing(plan: NetworkPlan) throws {
        let network = try network(plan)
        let before = output(network)
        for (_, parameter) in network.namedParameters { parameter.isTrainable = false }
        let encoder = network.namedParameters.filter { $0.name.hasPrefix("encoder.") }
        let count = LowRankAdaptation(rank: 2).attach(to: encoder, seed: 3)
        #expect(output(network) == before)
        let adapters = network.namedParameters.filter { $0.name.contains(".lora_") }
        #expect(count == adapters.reduce(0) { $0 + $1.parameter.pytorchShape.count } && count > 0)
        #expect(adapters.allSatisfy { $0.name.hasPrefix("encoder.") && $0.name.contains(".weight.lora_") })
        #expect(network.ownParameters.count == network.namedParameters.count - adapters.count)
        // B is zero: the first gradient reaches B only.
        let loss = mean(multiply(network(input(plan), in: .training)[0], network(input(plan), in: .training)[0]))
        let gradients = loss.backward()
        for (name, parameter) in network.namedParameters where parameter.isTrainable {
            let isUp = name.hasSuffix(".lora_up")
            #expect((gradients[parameter]?.scalars.contains { $0 != 0 } ?? false) == isUp, "\(name)")
        }
    }

    /// `W + s/r B A` is the convolution `W` plus `s/r` times the convolution `B` of the convolution `A`.
    @Test func anAdapterIsTwoConvolutions() {
        let conv = Conv3D(
            inputChannels: 3, outputChannels: 5, kernel: Extent3(depth: 1, height: 3, width: 3),
            stride: Extent3(depth: 1, height: 2, width: 2), bias: false, on: cpu)
        func noise(_ parameter: Parameter, _ seed: UInt64) {
            parameter.scalars = Tensor.noise(parameter.pytorchShape, seed: seed, on: cpu).scalars
        }
        noise(conv.weight, 1)
        let x = Tensor.noise([2, 3, 6, 4, 3], seed: 2, on: cpu)
        let plain = conv(x, in: .inference)
        LowRankAdaptation(rank: 2, scale: 3).attach(to: conv.namedParameters, seed: 0)
        guard let adapter = conv.weight.adapter else { return #expect(Bool(false), "no adapter") }
        noise(adapter.up, 3)
        let (down, up) = (
            Parameter(
                pytorchShape: adapter.down.pytorchShape, layout: .convolution, scalars: adapter.down.scalars, on: cpu),
            Parameter(pytorchShape: [5, 2, 1, 1, 1], layout: .convolution, scalars: adapter.up.scalars, on: cpu)
        )
        let inner = conv3D(x, weight: down.value, bias: nil, conv.geometry)
        let expected = add(plain, scale(conv3D(inner, weight: up.value, bias: nil, ConvGeometry(kernel: 1)), by: 1.5))
        let adapted = conv(x, in: .inference)
        conv.weight.scalars = conv.weight.mergedScalars
        conv.weight.adapter = nil
        #expect(conv.namedParameters.count == 1)
        for (value, expected) in zip(adapted.scalars, expected.scalars) { #expect(abs(value - expected) < 1e-4) }
        #expect(conv(x, in: .inference).scalars == adapted.scalars)
    }

    @Test(arguments: UNet.variety)
    func aMergedNetworkComputesTheSame(plan: NetworkPlan) throws {
        let network = try network(plan)
        LowRankAdaptation(rank: 3).attach(to: network.namedParameters, seed: 3)
        for (name, parameter) in network.namedParameters where name.hasSuffix(".lora_up") {
            parameter.scalars = Tensor.noise(parameter.pytorchShape, seed: 9, on: cpu).scalars.map { 0.1 * $0 }
        }
        let merged = network.merged(on: cpu)
        #expect(network.hasAdapters && !merged.hasAdapters && merged.parameterCount == plan.parameterCount)
        #expect(output(network) == output(merged))
        #expect(output(network) != output(try self.network(plan)))
    }

    @Test(arguments: [1, 3])
    func adaptersLearnWhenBlocksOrSamplesAreComputedAgain(samples: Int) throws {
        let plan = UNet.variety[0]
        let network = try network(plan)
        for (_, parameter) in network.namedParameters { parameter.isTrainable = false }
        LowRankAdaptation(rank: 2).attach(to: network.namedParameters, seed: 3)
        let gradients = [Phase.training, .recomputing].map {
            mean(network(input(plan, samples: samples), in: $0)[0]).backward()
        }
        for (name, parameter) in network.namedParameters
        where name.hasSuffix(".lora_up") && !name.hasPrefix("decoder.seg_layers.0.") {
            // (The head of the lower level is not evaluated.)
            let (one, other) = (gradients[0][parameter]?.scalars, gradients[1][parameter]?.scalars)
            #expect(one != nil && other != nil, "\(name)")
            for (a, b) in zip(one ?? [], other ?? []) { #expect(abs(a - b) < 1e-5) }
        }
    }

    @Test func residualAdaptersStartAsTheIdentity() throws {
        var plan = NetworkPlan(inputChannels: 1, outputChannels: 2, features: [4, 6, 8], blocks: [1, 2, 1])
        let plain = try network(plan)
        plan.adapterReduction = 2
        let adapted = try network(plan)
        for initializer in Initializer.allCases {
            initializer.initialize(plain, seed: 5)
            initializer.initialize(adapted, seed: 5)
            #expect(output(plain) == output(adapted))
        }
        let added = adapted.namedParameters.filter { $0.name.contains(".adapter.") }
        #expect(added.count == 4 * 4 && adapted.parameterCount == plan.parameterCount)
        let first = try #require(added.first { $0.name.hasSuffix("blocks.0.adapter.up.weight") })
        first.parameter.fill(with: 0.1)
        #expect(output(plain) != output(adapted))
        plan.architecture = .plain
        #expect(throws: NetworkPlanError.adaptedOtherEncoder) { _ = try UNet(plan, on: cpu) }
    }

    @Test(arguments: [NormKind.batch, .group])
    func aPlanChoosesTheNorm(kind: NormKind) throws {
        var plan = NetworkPlan(inputChannels: 1, outputChannels: 2, features: [8, 16], blocks: [1, 1])
        let instance = try network(plan)
        plan.norm = kind
        let other = try network(plan)
        #expect(instance.namedParameters.map(\.name) == other.namedParameters.map(\.name))
        #expect(output(instance) != output(other))
        #expect(other.namedBuffers.isEmpty == (kind == .group))
        let x = Tensor.noise([2, 4, 4, 4, 8], seed: 4, on: cpu)
        let residual = Tensor.noise([2, 4, 4, 4, 8], seed: 5, on: cpu)
        let block = ConvNormActivation(inputChannels: 8, outputChannels: 8, kernel: 1, norm: kind, on: cpu)
        let normed = block.norm(x, slope: 1, residual: nil, in: .training)
        // A batch's statistics are over samples too; a group's of one sample over its channels. Eight groups of eight
        // channels are instance norm.
        let channel = normed.scalars.enumerated().filter { $0.offset % 8 == 3 }.map { Double($0.element) }
        let mean = channel.reduce(0, +) / Double(channel.count)
        #expect(abs(mean) < 1e-5)
        if kind == .group {
            let same = InstanceNorm(channels: 8, on: cpu)(x, in: .training).scalars
            for (a, b) in zip(normed.scalars, same) { #expect(abs(a - b) < 1e-5) }
        } else {
            let half = channel.prefix(64).reduce(0, +) / 64
            #expect(abs(half) > 1e-4, "one sample of a batch has a mean of its own")
        }
        let full = block.norm(x, slope: 0.01, residual: residual, in: .training).scalars
        for (index, value) in full.enumerated() {
            let sum = normed.scalars[index] + residual.scalars[index]
            #expect(abs(value - (sum > 0 ? sum : 0.01 * sum)) < 1e-5)
        }
    }
}
