import Networks
import Pretraining
import Tensors
import Testing

/// What defines masked pre-training, and the mistakes of public implementations.
struct Spark3DNetworkTests {
    /// Memory that nobody wrote holds no numbers.
    private let cpu = CPU(threads: 2, unwritten: .nan)
    private let extent = Extent3(depth: 16, height: 8, width: 12)
    private let network: Spark3DNetwork
    private let x: Tensor
    private let mask: BlockMask

    init() throws {
        let plan = NetworkPlan(inputChannels: 1, outputChannels: 1, features: [4, 6, 8], blocks: [1, 1, 2])
        network = Spark3DNetwork(try UNet(plan, on: cpu), on: cpu)
        network.initialize(.pytorchDefault, seed: 1)
        x = Self.noise(Shape(samples: 2, extent: extent, channels: 1), seed: 2, on: cpu)
        mask = try BlockMasking(patch: extent, block: 4, ratio: .fixed(0.6)).mask(samples: 2, seed: 3, step: 0)
    }

    private static func noise(_ shape: Shape, seed: UInt64, on cpu: CPU) -> Tensor {
        var draws = Draws(seed: seed, purpose: "test noise")
        return Tensor((0..<shape.count).map { _ in Float(draws.normal()) }, shape: shape, on: cpu)
    }

    /// The input with other numbers in every hidden voxel.
    private var altered: Tensor {
        let other = Self.noise(x.shape, seed: 99, on: cpu).scalars
        let seen = mask.voxels(in: extent)
        return Tensor(x.scalars.indices.map { seen[$0] == 1 ? x.scalars[$0] : 10 * other[$0] }, shape: x.shape, on: cpu)
    }

    /// The public trainer hands the unmasked patch to the network: its stem reads across the borders of blocks.
    @Test func hiddenVoxelsInfluenceNothing() {
        #expect(altered.scalars != x.scalars)
        let encoder = network.unet.encoder
        for (map, other) in zip(encoder(hide(x, mask), in: .inference), encoder(hide(altered, mask), in: .inference)) {
            #expect(map.scalars == other.scalars)
        }
        let output = network(x, mask: mask, in: .inference)
        #expect(network(altered, mask: mask, in: .inference).scalars == output.scalars)
    }

    @Test func theGradientOfHiddenVoxelsIsExactlyZero() throws {
        let input = x.tracked()
        let output = network(input, mask: mask, in: .training)
        let upstream = Self.noise(output.shape, seed: 4, on: cpu)
        let gradient = try #require(Tensor.backward(from: [(output, upstream)])[input]).scalars
        let seen = mask.voxels(in: extent)
        #expect(gradient.indices.allSatisfy { seen[$0] == 1 || gradient[$0] == 0 })
        #expect(gradient.indices.count { gradient[$0] != 0 } == seen.count { $0 == 1 })
    }

    /// The public code uses blocks smaller than a voxel of the bottleneck, which then is visible everywhere.
    @Test func hiddenVoxelsOfEveryMapAreZeroAndVisibleOnesAreNot() {
        for map in network.unet.encoder(hide(x, mask), in: .inference) {
            let seen = mask.voxels(in: map.shape.extent)
            let (scalars, channels) = (map.scalars, map.shape.channels)
            #expect(map.visibility == mask)
            #expect(seen.contains(0) && seen.contains(1))
            for voxel in seen.indices {
                let values = scalars[voxel * channels..<(voxel + 1) * channels]
                #expect(values.contains { $0 != 0 } == (seen[voxel] == 1))
            }
        }
    }

    @Test func withNothingHiddenTheEncoderIsTheDenseOne() {
        let all = BlockMask(samples: 2, grid: mask.grid, visible: mask.visible.map { _ in true })
        let (dense, sparse) = (
            network.unet.encoder(x, in: .inference), network.unet.encoder(hide(x, all), in: .inference)
        )
        for (dense, sparse) in zip(dense, sparse) {
            #expect(zip(dense.scalars, sparse.scalars).allSatisfy { abs($0 - $1) < 1e-4 })
        }
    }

    @Test(
        "a step reads nothing that nobody wrote", arguments: KernelSet.supported + [.emulatedTiles],
        [Precision.float32, .bfloat16])
    func stepOnMemoryOfAnyContent(kernels: KernelSet, precision: Precision) throws {
        func gradients(unwritten: Float) throws -> [[Float]] {
            let cpu = CPU(threads: 2, kernels: kernels, precision: precision, unwritten: unwritten)
            let plan = NetworkPlan(inputChannels: 1, outputChannels: 1, features: [16, 32, 40], blocks: [1, 1, 1])
            let network = Spark3DNetwork(try UNet(plan, on: cpu), on: cpu)
            network.initialize(.pytorchDefault, seed: 1)
            let x = Self.noise(Shape(samples: 2, extent: extent, channels: 1), seed: 2, on: cpu)
            let gradients = hiddenSquaredError(network(x, mask: mask, in: .training), target: x, mask: mask).backward()
            return network.namedParameters.compactMap { gradients[$0.parameter]?.scalars }
        }
        let (zeros, others) = (try gradients(unwritten: 0), try gradients(unwritten: .nan))
        #expect(zeros == others)
        #expect(zeros.count > 40 && zeros.joined().contains { $0 != 0 })
    }

    /// In the public code the token of the coarsest stage gets no gradient, and duplicate weights of the encoder get none.
    @Test func everyParameterThatTakesPartIsTrained() throws {
        let output = network(x, mask: mask, in: .training)
        let gradients = hiddenSquaredError(output, target: x, mask: mask).backward()
        for (name, parameter) in network.namedParameters {
            let isUnusedHead = name.hasPrefix("decoder.seg_layers.0.")
            #expect((gradients[parameter] == nil) == isUnusedHead, "\(name)")
            // A bias before a norm has no effect; what gradient it has is rounding.
            guard !isUnusedHead, !name.hasSuffix("conv.bias") else { continue }
            let gradient = try #require(gradients[parameter]).scalars
            #expect(gradient.contains { abs($0) > 1e-7 }, "\(name)")
        }
    }

    @Test func theLossOfTheMeanIsTheVariance() throws {
        let extent = Extent3(64)
        let noise = Self.noise(Shape(samples: 1, extent: extent, channels: 1), seed: 8, on: cpu)
        let mask = try BlockMasking(patch: extent, block: 16, ratio: .fixed(0.75)).mask(samples: 1, seed: 1, step: 0)
        let loss = hiddenSquaredError(Tensor(zeros: noise.shape, on: cpu), target: noise, mask: mask)
        #expect(abs(loss.item - 1) < 0.02)
    }

    /// `2 (prediction - target) / (number of hidden voxels of the batch)` where hidden, else zero.
    @Test func theLossSeesHiddenVoxelsOnly() throws {
        let prediction = Self.noise(x.shape, seed: 12, on: cpu).tracked()
        let loss = hiddenSquaredError(prediction, target: x, mask: mask)
        let gradient = try #require(loss.backward()[prediction]).scalars
        let (hidden, p, t) = (mask.voxels(in: extent).map { 1 - $0 }, prediction.scalars, x.scalars)
        let count = hidden.reduce(0, +)
        let expected = hidden.indices.map { 2 * hidden[$0] * (p[$0] - t[$0]) / count }
        #expect(zip(gradient, expected).allSatisfy { abs($0 - $1) < 1e-7 })
        let mean = hidden.indices.reduce(0) { $0 + hidden[$1] * (p[$1] - t[$1]) * (p[$1] - t[$1]) } / count
        #expect(abs(loss.item - mean) < 1e-4)
    }

    /// 1120 numbers of tokens and 7,853,120 of convolutions beside the large preset.
    @Test func namesAndSizesAreThePublicOnes() throws {
        let names = network.namedParameters.map(\.name)
        #expect(
            names.filter { !$0.hasPrefix("encoder.") && !$0.hasPrefix("decoder.") } == [
                "mask_tokens.0", "mask_tokens.1", "mask_tokens.2", "densify_projs.1.weight", "densify_projs.1.bias",
                "densify_projs.2.weight", "densify_projs.2.bias",
            ])
        #expect(Set(names).count == names.count, "one weight, one name: a second one would stay untrained")
        let features = NetworkPreset.l.plan(outputChannels: 1).features
        let tokens = features.reduce(0, +)
        let convolutions = features.dropFirst().reduce(0) { $0 + 27 * $1 * $1 + $1 }
        #expect(tokens == 1120 && convolutions == 7_853_120)
        #expect(
            network.parameterCount - network.unet.parameterCount
                == (4 + 6 + 8) + (27 * 36 + 6) + (27 * 64 + 8))
    }

    @Test func tokensStartSmallAndVaried() {
        for token in network.maskTokens {
            #expect(token.scalars.allSatisfy { abs($0) <= 0.02 && $0 != 0 })
            #expect(Set(token.scalars).count == token.scalars.count)
        }
    }

    @Test func samplesMayHideDifferentNumbersOfCells() {
        var visible = mask.visible
        visible[visible.firstIndex(of: false)!] = true
        let uneven = BlockMask(samples: 2, grid: mask.grid, visible: visible)
        let both = network(x, mask: uneven, in: .inference).scalars
        let second = Tensor(
            Array(x.scalars[extent.volume...]), shape: Shape(samples: 1, extent: extent, channels: 1), on: cpu)
        let alone = network(
            second, mask: BlockMask(samples: 1, grid: mask.grid, visible: Array(visible[mask.grid.volume...])),
            in: .inference)
        #expect(zip(both[extent.volume...], alone.scalars).allSatisfy { abs($0 - $1) < 1e-5 })
    }
}
