import Networks
import Tensors
import Testing

/// Recomputing blocks changes what is kept, not what comes out.
struct RecomputationTests {
    @Test(arguments: UNet.variety.indices, [false, true])
    func outputsAreTheSameBitsAndGradientsTheSameNumbers(index: Int, masked: Bool) throws {
        let cpu = CPU(threads: 2)
        let plan = UNet.variety[index]
        let network = try UNet(plan, on: cpu)
        Initializer.pytorchDefault.initialize(network, seed: 5)
        let grid = Extent3(depth: plan.dimensions == .two ? 1 : 4, height: 4, width: 4)
        let extent = grid.zipped(with: plan.totalStride, *)
        let x = Tensor.noise(Shape(samples: 2, extent: extent, channels: plan.inputChannels), on: cpu)
        let mask = BlockMask(
            samples: 2, grid: grid, visible: (0..<2 * grid.volume).map { !masked || $0 % 3 != 1 })
        func run(_ phase: Phase) -> (outputs: [[Float]], gradients: Gradients) {
            let maps = network.encoder(hide(x, mask), in: phase).map { map in
                fillHidden(map, token: Tensor(zeros: [map.shape.channels], on: cpu))
            }
            let outputs = network.decoder(maps, outputs: 1, in: phase)
            return (outputs.map(\.scalars), mean(multiply(outputs[0], outputs[0])).backward())
        }
        let (kept, again) = (run(.training), run(.recomputing))
        #expect(kept.outputs == again.outputs)
        for (name, parameter) in network.namedParameters {
            guard let expected = kept.gradients[parameter]?.scalars else {
                #expect(again.gradients[parameter] == nil, "\(name)")
                continue
            }
            let found = try #require(again.gradients[parameter], "\(name)").scalars
            let scale = expected.map(abs).max() ?? 0
            let worst = zip(expected, found).map { abs($0 - $1) }.max() ?? 0
            // The gradient of a bias before a norm is zero but for rounding.
            #expect(worst <= 1e-5 * scale + 1e-7, "\(name)")
        }
    }
}
