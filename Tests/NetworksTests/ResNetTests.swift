import Networks
import Tensors
import Testing

struct ResNetTests {
    private let cpu = CPU(threads: 2)

    /// Counted on MedicalNet's own networks with a head for two classes.
    @Test(arguments: [(ResNetShape.Depth.ten, 14_514_464, 72), (.eighteen, 33_145_120, 102), (.fifty, 46_707_232, 318)])
    func thePublishedNetworksHaveTheirSize(depth: ResNetShape.Depth, parameters: Int, backboneEntries: Int) {
        let network = MedicalNetResNet(ResNetPlan(depth, outputChannels: 2), on: cpu)
        #expect(network.parameterCount == parameters)
        let names = network.namedParameters.map(\.name) + network.namedBuffers.map(\.name)
        #expect(names.filter { !$0.hasPrefix("conv_seg.") }.count == backboneEntries)
        #expect(Set(names).count == names.count)
    }

    /// Counted on the network of Models Genesis.
    @Test func theUNetOfModelsGenesisHasItsSize() {
        #expect(GenesisUNet(on: cpu).parameterCount == 19_073_665)
    }

    /// Sizes round up at each of the three halvings; the head doubles the last.
    @Test func theLastStagesKeepAnEighthOfTheInput() {
        let plan = ResNetPlan(
            ResNetShape(blocks: [1, 1, 1, 1], hasBottlenecks: false, shortcut: .padded, width: 2), headWidth: 2,
            outputChannels: 3)
        let network = MedicalNetResNet(plan, on: cpu)
        let x = Tensor(zeros: [1, 9, 16, 17, 1], on: cpu)
        let maps = network.encoder.maps(of: x, in: .inference)
        #expect(
            maps.map(\.shape) == [
                [1, 5, 8, 9, 2], [1, 3, 4, 5, 2], [1, 2, 2, 3, 4], [1, 2, 2, 3, 8], [1, 2, 2, 3, 16],
            ])
        #expect(plan.shape.features == [2, 4, 8, 16])
        #expect(network(x, in: .inference).shape == [1, 4, 4, 6, 3])
    }

    @Test("running statistics follow the batches in training, and normalize in inference")
    func batchNorm() {
        let x = Tensor([1, 3, 5, 7], shape: [1, 1, 2, 2, 1], on: cpu)
        let norm = BatchNorm(channels: 1, on: cpu)
        // Mean 4, unbiased variance 20/3, a tenth of the way from 0 and 1.
        _ = norm(x, in: .training)
        #expect(abs(norm.runningMean.scalars[0] - 0.4) < 1e-6)
        #expect(abs(norm.runningVariance.scalars[0] - (0.9 + 2 / 3)) < 1e-6)
        #expect(norm.batchCount.scalars == [1])
        let deviation = (0.9 + 2.0 / 3 + 1e-5).squareRoot()
        #expect(abs(Double(norm(x, in: .inference).scalars[3]) - 6.6 / deviation) < 1e-5)
        #expect(norm.batchCount.scalars == [1])

        let frozen = BatchNorm(channels: 1, statistics: .running, on: cpu)
        #expect(abs(frozen(x, in: .training).scalars[3] - 7) < 1e-3 && frozen.runningMean.scalars == [0])
        let ofBatch = BatchNorm(channels: 1, statistics: .batch, on: cpu)
        #expect(abs(ofBatch(x, in: .inference).scalars[3] - 3 / Float(5).squareRoot()) < 1e-4)
    }
}
