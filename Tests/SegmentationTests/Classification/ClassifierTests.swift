import Augmentation
import Networks
import Segmentation
import Tensors
import Testing
import Volumes

struct ClassifierTests {
    private let cpu = CPU(threads: 2)

    private func plan(_ head: NetworkPlan.Head? = .classification) -> Plan {
        var plan = Plan.tiny()
        plan.network.head = head
        return plan
    }

    private func model(_ plan: Plan, seed: UInt64) throws -> SegmentationModel {
        let network = try UNet(NetworkPlan(plan), on: cpu)
        Initializer.pytorchDefault.initialize(network, seed: seed)
        let card = SegmentationModelCard(
            plan: plan, classes: ["a", "b", "c"].enumerated().map { .init(name: $1, label: Int16($0)) },
            window: SlidingWindow(patch: plan.patch))
        return SegmentationModel(path: "\(seed)", card: card, network: network)
    }

    private func image(_ extent: Extent3, isMirrored: Bool = false) -> Volume {
        var draws = Draws(seed: 3, purpose: "test")
        var voxels = (0..<extent.volume).map { _ in Float(10 + draws.normal()) }
        if isMirrored {
            for row in 0..<extent.volume / extent.width {
                voxels[row * extent.width..<(row + 1) * extent.width].reverse()
            }
        }
        return Volume(
            voxels: voxels, channelNames: ["T1"], geometry: Geometry(extent: extent, spacingMM: [1, 1, 1]))
    }

    @Test func probabilitiesOfAMirroredImageAreTheSame() throws {
        var classifier = try Classifier([model(plan(), seed: 1)], on: cpu)
        let extent = Extent3(depth: 12, height: 16, width: 20)
        let (given, mirrored) = (
            try classifier.probabilities(of: image(extent)),
            try classifier.probabilities(of: image(extent, isMirrored: true))
        )
        #expect(abs(given.reduce(0, +) - 1) < 1e-12 && given.count == 3)
        #expect(zip(given, mirrored).allSatisfy { abs($0 - $1) < 1e-5 })
        classifier.mirroredAxes = []
        let (once, other) = (
            try classifier.probabilities(of: image(extent)),
            try classifier.probabilities(of: image(extent, isMirrored: true))
        )
        #expect(zip(once, other).contains { abs($0 - $1) > 1e-5 })
    }

    @Test func severalModelsAreAveraged() throws {
        let (first, second) = (try model(plan(), seed: 1), try model(plan(), seed: 2))
        let volume = image(16)
        let alone = try [first, second].map { try Classifier([$0], on: cpu).probabilities(of: volume) }
        let both = try Classifier([first, second], on: cpu).probabilities(of: volume)
        for label in 0..<3 { #expect(abs(both[label] - (alone[0][label] + alone[1][label]) / 2) < 1e-12) }
    }

    @Test func modelsThatSegmentAreRefusedAndTheOtherWayRound() throws {
        #expect(throws: SegmentationError.notAClassifier(path: "7")) {
            _ = try Classifier([model(plan(nil), seed: 7)], on: cpu)
        }
        #expect(throws: SegmentationError.self) { _ = try Ensemble([model(plan(), seed: 1)], on: cpu) }
    }

    @Test("batches hold the middle of images, and are functions of the step")
    func batches() throws {
        let (extent, patch) = (Extent3(depth: 9, height: 20, width: 16), Extent3(16))
        let whole = Patch(
            image: (0..<extent.volume).map { Float($0 + 1) }, channels: 1, labels: nil, extent: extent)
        let cases = (0..<3).map { ClassifiedCase(name: "\($0)", image: whole, label: $0) }
        let plain = try ClassificationBatches(of: cases, cutter: .plain(patch: patch), batchSize: 8, seed: 1)
        let batch = try plain.batch(step: 0)
        #expect(batch.labels.map { "\($0)" } == batch.cases && Set(batch.labels).count > 1)
        let middle = whole.patch(in: VoxelBox(whole: extent).centered(patch)).image
        #expect((0..<8).allSatisfy { Array(batch.images[$0 * 4096..<($0 + 1) * 4096]) == middle })

        let turned = try ClassificationBatches(of: cases, cutter: .segmentation(patch: patch), batchSize: 4, seed: 1)
        let ahead = try (0..<3).map(turned.batch(step:))
        #expect(ahead[0].images != ahead[1].images)
        #expect(try turned.batch(step: 2).images == ahead[2].images)
        let half = try turned.batch(step: 2, samples: 2..<4)
        #expect(
            half.images == Array(ahead[2].images.suffix(half.images.count))
                && half.labels == Array(ahead[2].labels[2...]))
        #expect(throws: SegmentationError.noTrainingCases) {
            _ = try ClassificationBatches(of: [], cutter: .plain(patch: patch), batchSize: 1, seed: 0)
        }
    }
}
