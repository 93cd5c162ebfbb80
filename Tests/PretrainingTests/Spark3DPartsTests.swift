import Networks
import Pretraining
import Tensors
import Testing

/// The ablations of S3D and the public code's departures from it.
struct Spark3DPartsTests {
    /// Memory that nobody wrote holds no numbers.
    private let cpu = CPU(threads: 2, unwritten: .nan)
    private let extent = Extent3(depth: 16, height: 8, width: 8)
    /// The first of four cells is hidden.
    private let mask = BlockMask(
        samples: 1, grid: Extent3(depth: 4, height: 2, width: 2), visible: (0..<16).map { $0 % 4 != 0 })

    private func network(_ parts: Spark3DParts) throws -> Spark3DNetwork {
        let plan = NetworkPlan(inputChannels: 1, outputChannels: 1, features: [4, 6, 8], blocks: [1, 1, 1])
        let network = Spark3DNetwork(try UNet(plan, on: cpu), parts: parts, on: cpu)
        network.initialize(.pytorchDefault, seed: 1)
        return network
    }

    private func noise(seed: UInt64) -> [Float] {
        var draws = Draws(seed: seed, purpose: "test noise")
        return (0..<extent.volume).map { _ in Float(draws.normal()) }
    }

    private func map(_ scalars: [Float]) -> Tensor {
        Tensor(scalars, shape: Shape(samples: 1, extent: extent, channels: 1), on: cpu)
    }

    static let ladder: [Spark3DParts] = (0..<16).map { bits in
        var parts = Spark3DParts()
        (parts.isSparse, parts.normalizes) = (bits & 1 == 0, bits & 2 == 0)
        (parts.hasTokens, parts.convolves) = (bits & 4 == 0, bits & 8 == 0)
        return parts
    }

    @Test("whatever is switched off, hidden voxels have no influence and what is left is trained", arguments: ladder)
    func hiddenVoxelsInfluenceNothing(parts: Spark3DParts) throws {
        let network = try network(parts)
        let (x, other, seen) = (noise(seed: 2), noise(seed: 3), mask.voxels(in: extent))
        let altered = x.indices.map { seen[$0] == 1 ? x[$0] : other[$0] }
        let output = network(map(x), mask: mask, in: .training)
        #expect(network(map(altered), mask: mask, in: .inference).scalars == output.scalars)
        let added = network.parameterCount - network.unet.parameterCount
        let (tokens, convolutions) = (4 + 6 + 8, 27 * 36 + 6 + 27 * 64 + 8)
        #expect(added == (parts.hasTokens ? tokens : 0) + (parts.convolves ? convolutions : 0))
        let gradients = hiddenSquaredError(output, target: map(x), mask: mask).backward()
        for (name, parameter) in network.namedParameters where !name.hasPrefix("decoder.seg_layers.0.") {
            #expect(gradients[parameter] != nil, "\(name)")
        }
    }

    /// Nothing switched on is the dense baseline.
    @Test func theLowestStepIsTheDenseBaseline() throws {
        var parts = Spark3DParts()
        (parts.isSparse, parts.normalizes, parts.hasTokens, parts.convolves) = (false, false, false, false)
        let network = try network(parts)
        let x = map(noise(seed: 2))
        let dense = DenseAutoencoder(network.unet, on: cpu)
        #expect(
            network(x, mask: mask, in: .inference).scalars == dense(x, mask: mask, in: .inference).scalars)
    }

    /// The public code hides the stem's result only: it reads one voxel across the borders of blocks, but no further.
    @Test func anUnmaskedInputLeaksOneVoxel() throws {
        var parts = Spark3DParts()
        parts.masksInput = false
        let network = try network(parts)
        let (x, seen) = (noise(seed: 2), mask.voxels(in: extent))
        let output = network(map(x), mask: mask, in: .inference).scalars
        func isNearVisible(_ voxel: Int) -> Bool {
            let place = [voxel / 64, voxel / 8 % 8, voxel % 8]
            return seen.indices.contains { other in
                let distance = zip(place, [other / 64, other / 8 % 8, other % 8]).map { abs($0 - $1) }.max()
                return seen[other] == 1 && distance == 1
            }
        }
        for (isNear, changes) in [(true, true), (false, false)] {
            let hidden = seen.indices.filter { seen[$0] == 0 && isNearVisible($0) == isNear }
            #expect(!hidden.isEmpty)
            var altered = x
            for voxel in hidden { altered[voxel] += 5 }
            #expect((network(map(altered), mask: mask, in: .inference).scalars != output) == changes)
        }
    }

    /// Blocks of half a bottleneck voxel: the coarsest map is visible everywhere, and its token gets no gradient.
    @Test func smallBlocksAreVisibleAtTheBottleneck() throws {
        let network = try network(Spark3DParts())
        let fine = BlockMask(
            samples: 1, grid: Extent3(depth: 8, height: 4, width: 4), visible: (0..<128).map { $0 % 3 != 0 })
        let x = map(noise(seed: 2))
        let loss = hiddenSquaredError(network(x, mask: fine, in: .training), target: x, mask: fine)
        let gradients = loss.backward()
        #expect(gradients[network.maskTokens[2]]?.scalars.contains { $0 != 0 } != true)
        #expect(try #require(gradients[network.maskTokens[1]]).scalars.contains { $0 != 0 })
    }
}
