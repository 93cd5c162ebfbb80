import Foundation
import Networks
import Pretraining
import Tensors
import Testing
import Training
import Volumes

struct MaskedReconstructionTests {
    private let cpu = CPU(threads: 2)

    /// Guessing the mean scores 1, the variance of the waves.
    @Test("a masked method learns to rebuild what is hidden", arguments: ["s3d", "mae"])
    func learns(method: String) throws {
        try withFolder { path in
            try pretrain(try tinyRecipe(method, steps: 40), at: path, on: cpu)
            let losses = try logged("loss", at: path, as: Double.self)
            #expect(losses.suffix(5).reduce(0, +) / 5 < 0.75, "\(losses)")
            let judgement = try logged("validation", at: path, as: [String: Double].self).last
            #expect(try #require(judgement?["validation loss"]) < 0.9)
            let page = try String(contentsOfFile: "\(path)/index.html", encoding: .utf8)
            #expect(page.contains("hidden blocks rebuilt"))
        }
    }

    /// Every other block of four voxels.
    private static let mask = BlockMask(samples: 1, grid: 2, visible: (0..<8).map { $0 % 2 == 0 })
    private static let seen = mask.voxels(in: 8)

    private func map(_ scalars: [Float]) -> Tensor { Tensor(scalars, shape: [1, 8, 8, 8, 1], on: cpu) }

    private func dense(_ fill: DenseMAE.Fill = .zero) throws -> DenseAutoencoder {
        let plan = NetworkPlan(inputChannels: 1, outputChannels: 1, features: [4, 6], blocks: [1, 1])
        let network = DenseAutoencoder(try UNet(plan, on: cpu), fill: fill, on: cpu)
        Initializer.pytorchDefault.initialize(network, seed: 1)
        return network
    }

    @Test func theDenseBaselineDoesNotSeeHiddenVoxelsEither() throws {
        let network = try dense()
        let output = network(map(Self.seen.map { _ in 1 }), mask: Self.mask, in: .inference).scalars
        let altered = map(Self.seen.map { $0 == 1 ? 1 : 7 })
        #expect(network(altered, mask: Self.mask, in: .inference).scalars == output)
        #expect(network.unet(map(Self.seen), in: .inference)[0].scalars == output)
    }

    /// SimMIM's fill starts at 0, so that the first step is that of the dense baseline; its gradient is the sum of those of
    /// the voxels that it fills.
    @Test func theLearnedFillStandsForHiddenVoxels() throws {
        let (plain, learned) = try (dense(), dense(.learned))
        let token = try #require(learned.token)
        let x = map((0..<512).map { Float($0 % 7) / 3 - 1 })
        let output = learned(x, mask: Self.mask, in: .training)
        #expect(output.scalars == plain(x, mask: Self.mask, in: .inference).scalars)
        let gradient = try #require(sum(output).backward()[token]).item

        let filled = map(zip(x.scalars, Self.seen).map { $0 * $1 }).tracked()
        let ofInput = try #require(sum(learned.unet(filled, in: .training)[0]).backward()[filled]).scalars
        let expected = zip(ofInput, Self.seen).reduce(0) { $0 + $1.0 * (1 - $1.1) }
        #expect(abs(gradient - expected) < 1e-3 * max(1, abs(expected)))
    }

    @Test(
        "the loss counts the voxels it should", arguments: ReconstructionLoss.Kind.allCases,
        ReconstructionLoss.Region.allCases)
    func loss(kind: ReconstructionLoss.Kind, region: ReconstructionLoss.Region) throws {
        var draws = Draws(seed: 4, purpose: "test noise")
        let (p, t) = (
            (0..<512).map { _ in Float(draws.normal()) }, (0..<512).map { _ in Float(draws.normal()) }
        )
        let excluded = (0..<512).map { $0 % 5 == 0 }
        let counted = (0..<512).filter { (region == .everywhere || Self.seen[$0] == 0) && !excluded[$0] }
        let expected = counted.reduce(0.0) { sum, i in
            let difference = Double(p[i] - t[i])
            return sum + (kind == .squared ? difference * difference : abs(difference))
        }
        let prediction = map(p).tracked()
        let value = ReconstructionLoss(kind: kind, region: region)(
            prediction, target: map(t), mask: Self.mask, excluded: excluded)
        #expect(abs(Double(value.item) - expected / Double(counted.count)) < 1e-5)
        let gradient = try #require(value.backward()[prediction]).scalars
        #expect(Set(gradient.indices.filter { gradient[$0] != 0 }) == Set(counted))
    }

    /// Anonymized voxels, but neither padding nor anatomy, are excluded; patches are centred on anatomy.
    @Test func regionsOfImagesAreUsed() throws {
        var labels = [Int16](repeating: RegionLabel.anywhere, count: 4096)
        labels[0] = RegionLabel.anonymized
        labels[4095] = RegionLabel.anatomy
        let source = Patch(
            image: [Float](repeating: 1, count: 4096), channels: 1, labels: labels, extent: 16)
        let image = PretrainingData.Image(
            name: "defaced", source: source,
            anatomy: ForegroundVoxels(labels: labels, ignoring: RegionLabel.anonymized))
        let whole = PatchBatches(of: [image], cutter: .plain(patch: 18), samples: 1, seed: 1)
        let batch = try whole.batch(step: 0)
        #expect(batch.excluded?.count { $0 } == 1)
        // The only voxel of anatomy is the last one: a patch around it begins two voxels before.
        let around = PatchBatches(
            of: [image], cutter: .plain(patch: 4, oversampling: .probability(1)), samples: 4, seed: 1)
        let patches = try around.batch(step: 3)
        #expect(patches.excluded == nil)
        let inside = (0..<256).map { ($0 / 16 % 4 < 3) && ($0 / 4 % 4 < 3) && ($0 % 4 < 3) }
        #expect(patches.voxels == inside.map { $0 ? 1 : 0 })
    }
}
