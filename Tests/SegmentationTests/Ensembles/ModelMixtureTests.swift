import Foundation
import Networks
import Segmentation
import Tensors
import Testing
import Volumes

struct ModelMixtureTests {
    private let cpu = CPU(threads: 2)

    private func ensemble(_ seed: UInt64, spacingMM: [Double] = [1, 1, 1], regions: Bool = false) throws -> Ensemble {
        let plan = Plan.tiny(spacingMM: spacingMM)
        let network = try UNet(NetworkPlan(plan), on: cpu)
        Initializer.he.initialize(network, seed: seed)
        var window = SlidingWindow(patch: plan.patch)
        window.mirroredAxes = []
        let names = ["background", "a", "b"]
        var card = SegmentationModelCard(
            plan: plan, classes: names.enumerated().map { .init(name: $0.element, label: Int16($0.offset)) },
            window: window)
        if regions {
            card.regions = [[1, 2, 3], [2, 3], [3]].enumerated().map {
                .init(name: "\($0.offset)", labels: $0.element, writtenLabel: Int16($0.offset + 1))
            }
        }
        return try Ensemble([SegmentationModel(path: "model \(seed)", card: card, network: network)], on: cpu)
    }

    @Test(arguments: [false, true])
    func probabilitiesDecideLikeLogits(regions: Bool) throws {
        let member = try ensemble(1, regions: regions)
        let image = Volume.turned()
        let single = try member.segment(image).labels
        let map = try member.probabilities(of: image)
        #expect(map.allSatisfy { (0...1).contains($0) })
        if !regions {
            let volume = image.extent.volume
            #expect((0..<volume).allSatisfy { abs(map[$0] + map[volume + $0] + map[2 * volume + $0] - 1) < 1e-5 })
            #expect(map[0] == 1, "background is certain outside of what was predicted")
        }
        for rule in [MixtureRule.averageProbabilities, .vote, .weighted(EnsembleWeights([[1, 1, 1]]))] {
            #expect(try ModelMixture([member], rule: rule, on: cpu).segment(image).labels == single)
        }
    }

    @Test func differentConfigurationsDecideTogether() throws {
        let members = [try ensemble(1), try ensemble(2, spacingMM: [2, 1, 1]), try ensemble(3)]
        let image = Volume.turned()
        let labels = try members.map { try $0.segment(image).labels }
        #expect(labels[0] != labels[1])
        // All weight on one member is that member.
        let weights = EnsembleWeights([[0, 0, 0], [1, 1, 1], [0, 0, 0]])
        #expect(try ModelMixture(members, rule: .weighted(weights), on: cpu).segment(image).labels == labels[1])
        let mean = try ModelMixture(members, rule: .averageProbabilities, on: cpu).segment(image).labels
        let vote = try ModelMixture(members, rule: .vote, on: cpu).segment(image).labels
        #expect(vote == ModelMixture.majority(labels, mean: mean))
        let reversed = try ModelMixture(members.reversed(), rule: .averageProbabilities, on: cpu).segment(image).labels
        #expect(zip(mean, reversed).count { $0 != $1 } < mean.count / 500, "in any order, but for rounding")
        #expect(throws: SegmentationError.self) {
            _ = try ModelMixture([members[0], try ensemble(4, regions: true)], rule: .vote, on: cpu)
        }
    }

    @Test func correctionsOfTheCardAreApplied() throws {
        let plain = try ensemble(1)
        var card = plain.models[0].card
        card.postProcessing = PostProcessing([.removeSmall(label: 1, voxels: 1_000_000)])
        let corrected = try Ensemble(
            [SegmentationModel(path: "corrected", card: card, network: plain.models[0].network)], on: cpu)
        let (before, after) = (try plain.segment(Volume.turned()).labels, try corrected.segment(Volume.turned()).labels)
        #expect(before.contains(1) && after == before.map { $0 == 1 ? 0 : $0 })
    }
}
