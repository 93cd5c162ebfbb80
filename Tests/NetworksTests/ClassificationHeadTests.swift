import Networks
import Tensors
import Testing

struct ClassificationHeadTests {
    private let cpu = CPU(threads: 2)

    private static let plans: [NetworkPlan] =
        UNet.variety + [
            NetworkPlan(
                encoder: ResNetShape(blocks: [1, 1, 1, 1], hasBottlenecks: false, shortcut: .padded, width: 4),
                outputChannels: 3),
            NetworkPlan(genesisOfWidth: 2, outputChannels: 2),
        ]

    @Test("stands behind any encoder: W times the mean of its coarsest map, plus b", arguments: plans)
    func logits(plan: NetworkPlan) throws {
        var plan = plan
        plan.head = .classification
        plan.deepSupervision = true
        let network = try UNet(plan, on: cpu)
        Initializer.pytorchDefault.initialize(network, seed: 4)
        let edge = 16
        let extent = Extent3(depth: plan.dimensions == .two ? 1 : edge, height: edge, width: edge)
        let x = Tensor.noise(Shape(samples: 2, extent: extent, channels: plan.inputChannels), on: cpu)
        let outputs = network(x, in: .inference)
        #expect(outputs.map(\.shape) == [Shape(samples: 2, extent: 1, channels: plan.outputChannels)])

        let map = try #require(network.encoder(x, in: .inference).last)
        let (channels, voxels) = (map.shape.channels, map.shape.extent.volume)
        let values = map.scalars
        let means = (0..<2 * channels).map { index -> Double in
            let (first, channel) = (index / channels * voxels, index % channels)
            let sum = (0..<voxels).reduce(0.0) { $0 + Double(values[(first + $1) * channels + channel]) }
            return sum / Double(voxels)
        }
        let (weight, bias) = (network.decoder.lastLayer.weight.scalars, network.decoder.lastLayer.bias?.scalars ?? [])
        for (index, logit) in outputs[0].scalars.enumerated() {
            let (sample, label) = (index / plan.outputChannels, index % plan.outputChannels)
            let expected = (0..<channels).reduce(Double(bias[label])) { sum, channel in
                sum + Double(weight[label * channels + channel]) * means[sample * channels + channel]
            }
            #expect(abs(Double(logit) - expected) < 1e-4 * max(1, abs(expected)))
        }
        let names = network.decoder.namedParameters.map(\.name)
        #expect(names == ["classifier.weight", "classifier.bias"])
        if [.resEnc, .plain].contains(plan.architecture) { #expect(plan.parameterCount == network.parameterCount) }
    }

    @Test("every size of image gives one answer")
    func sizes() throws {
        var plan = UNet.variety[0]
        plan.head = .classification
        let network = try UNet(plan, on: cpu)
        for extent in [Extent3(4), Extent3(depth: 8, height: 4, width: 12)] {
            let x = Tensor.noise(Shape(samples: 1, extent: extent, channels: 1), on: cpu)
            #expect(network(x, in: .inference)[0].shape.extent == 1)
        }
    }

    @Test("Med3D's other heads want a ResNet", arguments: [NetworkPlan.Head.released, .denseASPP])
    func otherHeads(head: NetworkPlan.Head) {
        var plan = UNet.variety[0]
        plan.head = head
        #expect(throws: NetworkPlanError.headWithoutResNet(head)) { try UNet(plan, on: cpu) }
    }
}
