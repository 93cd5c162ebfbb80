import Foundation
import Networks
import Pretraining
import Tensors
import Testing
import Training
import Volumes

struct VoCoTests {
    private let cpu = CPU(threads: 2)
    private let positions = CropPositions(grid: Extent3(depth: 3, height: 3, width: 1), crop: 8, targets: 5)

    private func learner(_ positions: CropPositions) -> PositionPrediction {
        let plan = NetworkPlan(inputChannels: 1, outputChannels: 1, features: [4, 6], blocks: [1, 1])
        return PositionPrediction(
            CropEmbedder(plan, head: [4], isNormalized: true, on: cpu), positions: positions, on: cpu)
    }

    private func volumes(_ count: Int) -> PatchBatch {
        let extent = positions.volume
        let patches = (0..<count).map { index in
            Patch(
                image: (0..<extent.volume).map { Float($0 + 10_000 * index) }, channels: 1, labels: nil, extent: extent)
        }
        return PatchBatch(patches, names: (0..<count).map { "volume\($0)" })
    }

    @Test func overlapsAreSharesOfTheCrop() {
        for base in positions.bases.indices {
            #expect(positions.overlaps(of: positions.bases[base]) == (0..<9).map { $0 == base ? 1 : 0 })
        }
        for step in 0..<100 {
            let place = BatchPlace(seed: 1, step: step, phase: .inference)
            for overlaps in positions.batch(of: volumes(1), at: place).overlaps {
                #expect(abs(overlaps.reduce(0, +) - 1) < 1e-12)
                #expect((1...4).contains(overlaps.count { $0 > 0 }))
            }
        }
    }

    @Test func cropsAreWhereTheyShouldBe() {
        let batch = positions.batch(of: volumes(2), at: BatchPlace(seed: 1, step: 0, phase: .inference))
        #expect(batch.crops.samples == 2 * (9 + 5) && batch.overlaps.count == 10)
        // Row-major: voxel (d, h, w) of the volume is 192 d + 8 h + w; the second base begins at (0, 8, 0).
        #expect(batch.crops.patch(1).image[0] == 64 && batch.crops.patch(3).image[0] == 8 * 192)
        #expect(batch.crops.patch(9).image[0] == 10_000)
        for target in 0..<5 {
            let first = Int(batch.crops.patch(18 + target).image[0])
            let box = VoxelBox(origin: [first / 192, first / 8 % 24, first % 8], extent: 8)
            #expect(positions.overlaps(of: box) == batch.overlaps[target])
        }
    }

    /// Bases at right angles and targets with the cosines that their overlaps ask for leave nothing to improve.
    @Test func closedForms() {
        let positions = CropPositions(grid: Extent3(depth: 2, height: 2, width: 1), crop: 8, targets: 1)
        let learner = learner(positions)
        func rows(_ values: [Float]) -> Tensor { Tensor(values, shape: [values.count / 4, 4], on: cpu) }
        let bases = rows((0..<16).map { $0 / 4 == $0 % 4 ? 1 : 0 })
        func batch(_ overlaps: [Double]) -> CropPositions.Batch {
            .init(crops: volumes(1), volumes: 1, overlaps: [overlaps])
        }
        #expect(learner.baseLoss(bases, batch: batch([1, 0, 0, 0])).item == 0)
        #expect(
            abs(learner.baseLoss(rows((0..<16).map { $0 % 4 == 0 ? 1 : 0 }), batch: batch([1, 0, 0, 0])).item - 1)
                < 1e-6)

        let perfect = learner.positionLoss(targets: rows([0, 1, 0, 0]), bases: bases, batch: batch([0, 1, 0, 0]))
        #expect(abs(perfect.item) < 1e-5)
        // The wrong base: -ln(1e-6) for the right one, and a square of 1 among three that are far.
        let wrong = learner.positionLoss(targets: rows([1, 0, 0, 0]), bases: bases, batch: batch([0, 1, 0, 0]))
        #expect(abs(wrong.item - (13.8155 + 1.0 / 3)) < 0.02)
        // Weights are the overlaps: (0.75 (-ln(1 - |0.75 - 0.6|)) + 0.25 (-ln(1 - |0.25 - 0.8|))) / 1.
        let mixed = learner.positionLoss(
            targets: rows([0.6, 0.8, 0, 0]), bases: bases, batch: batch([0.75, 0.25, 0, 0]))
        #expect(abs(Double(mixed.item) - (-0.75 * log(0.85) - 0.25 * log(0.45))) < 1e-4)
    }

    /// Volumes do not look into each other's grids.
    @Test func onlyBasesOfTheOwnVolumeCount() {
        let positions = CropPositions(grid: Extent3(depth: 2, height: 1, width: 1), crop: 8, targets: 1)
        let learner = learner(positions)
        let bases = Tensor([1, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0], shape: [4, 4], on: cpu)
        let targets = Tensor([1, 0, 0, 0, 1, 0, 0, 0], shape: [2, 4], on: cpu)
        let batch = CropPositions.Batch(crops: volumes(1), volumes: 2, overlaps: [[1, 0], [1, 0]])
        #expect(abs(learner.positionLoss(targets: targets, bases: bases, batch: batch).item) < 1e-5)
        #expect(learner.baseLoss(bases, batch: batch).item == 0)
    }

    /// Wald et al. 2024, arXiv:2410.23132, appendix A.3.
    @Test func defaultsAreTheStudys() throws {
        let recipe = try RecipeDocument.parse("method: voco").resolve(PretrainingRecipe.init(reading:)).0
        let method = try #require(recipe.method as? VoCo)
        #expect(method.positions.volume == Extent3(depth: 192, height: 192, width: 64) && method.positions.targets == 5)
        #expect(recipe.setup.batch == 12 && recipe.training.clipNorm == nil && method.width == 2048)
    }
}
