import Foundation
import Networks
import Segmentation
import Tensors
import Testing
import Volumes

struct ConfidenceTests {
    private let cpu = CPU(threads: 2)

    private func ensemble(regions: [NNUNetDataset.LabelRegion]?, scale: Float = 1, on cpu: CPU) throws -> Ensemble {
        let plan = Plan.tiny()
        let network = try UNet(NetworkPlan(plan), on: cpu)
        Initializer.pytorchDefault.initialize(network, seed: 1)
        for (name, parameter) in network.decoder.lastLayer.namedParameters where name.hasSuffix("weight") {
            parameter.scalars = parameter.scalars.map { $0 * scale }
        }
        var window = SlidingWindow(patch: plan.patch)
        window.mirroredAxes = []
        let card = SegmentationModelCard(
            plan: plan,
            classes: ["background", "a", "b"].enumerated().map { .init(name: $0.element, label: Int16($0.offset)) },
            regions: regions, window: window)
        return try Ensemble([SegmentationModel(path: "model", card: card, network: network)], on: cpu)
    }

    /// The probabilities come by another way, one map of all classes; here they are taken together by the definitions.
    @Test("is the largest probability and the entropy of classes", arguments: [1, 40] as [Float])
    func classes(scale: Float) throws {
        let image = Volume.turned()
        let ensemble = try ensemble(regions: nil, scale: scale, on: cpu)
        let found = try ensemble.segmentWithConfidence(image)
        let maps = try ensemble.probabilities(of: image)
        let voxels = image.extent.volume
        for voxel in 0..<voxels {
            let p = (0..<3).map { Double(maps[$0 * voxels + voxel]) }
            let entropy = p.reduce(0) { $0 - ($1 > 0 ? $1 * log($1) : 0) } / log(3)
            #expect(abs(Double(found.confidence.probability[voxel]) - p.max()!) < 1e-5)
            #expect(abs(Double(found.confidence.uncertainty[voxel]) - entropy) < 2e-5)
            #expect(p[Int(found.decided[voxel])] >= p.max()! - 1e-5)
        }
        #expect(try found.labels.labels == ensemble.segment(image).labels && found.decided == found.labels.labels)
        // The border that was cut off is surely background.
        #expect(stride(from: 0, to: voxels, by: 21).allSatisfy { found.confidence.probability[$0] == 1 })
        // The same for any number of threads.
        let alone = try self.ensemble(regions: nil, scale: scale, on: CPU(threads: 1)).segmentWithConfidence(image)
        #expect(alone.confidence.probability == found.confidence.probability)
        #expect(alone.confidence.uncertainty == found.confidence.uncertainty)
    }

    @Test("of regions, which are coins, is the product of probabilities and the sum of entropies")
    func regions() throws {
        let image = Volume.turned()
        let regions = ([[1, 2, 3], [2, 3], [3]] as [[Int16]]).enumerated().map {
            NNUNetDataset.LabelRegion(name: "\($0.offset)", labels: $0.element, writtenLabel: Int16($0.offset + 1))
        }
        let ensemble = try ensemble(regions: regions, scale: 8, on: cpu)
        let found = try ensemble.segmentWithConfidence(image)
        let maps = try ensemble.probabilities(of: image)
        let voxels = image.extent.volume
        for voxel in 0..<voxels where voxel % 21 >= 2 {
            let p = (0..<3).map { Double(maps[$0 * voxels + voxel]) }
            let entropy = p.reduce(0) { $0 - $1 * log($1) - (1 - $1) * log(1 - $1) } / (3 * log(2))
            #expect(abs(Double(found.confidence.probability[voxel]) - p.reduce(1) { $0 * max($1, 1 - $1) }) < 1e-5)
            #expect(abs(Double(found.confidence.uncertainty[voxel]) - entropy) < 1e-4)
        }
    }
}
