import Networks
import Tensors
import Testing

/// Recomputing blocks or samples changes what is kept, not what comes out.
struct RecomputationTests {
    private let cpu = CPU(threads: 2)

    private func network(_ index: Int) throws -> UNet {
        let network = try UNet(UNet.variety[index], on: cpu)
        Initializer.pytorchDefault.initialize(network, seed: 5)
        return network
    }

    /// An input of `grid` strides.
    private func input(_ plan: NetworkPlan, samples: Int, grid: Extent3) -> Tensor {
        .noise(
            Shape(samples: samples, extent: grid.zipped(with: plan.totalStride, *), channels: plan.inputChannels),
            on: cpu)
    }

    @Test(arguments: UNet.variety.indices, [false, true])
    func outputsAreTheSameBitsAndGradientsTheSameNumbers(index: Int, masked: Bool) throws {
        let network = try network(index)
        let grid = Extent3(depth: network.plan.dimensions == .two ? 1 : 4, height: 4, width: 4)
        let x = input(network.plan, samples: 2, grid: grid)
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
        expectEqual(kept.gradients, again.gradients, of: network)
    }

    /// All but the last sample pass the network twice, on a tape of their own.
    @Test(arguments: UNet.variety.indices, [false, true])
    func samplesByThemselvesGiveTheNumbersOfTheBatch(index: Int, inPart: Bool) throws {
        let network = try network(index)
        let grid = Extent3(depth: network.plan.dimensions == .two ? 1 : 2, height: 2, width: 2)
        let x = input(network.plan, samples: 3, grid: grid)
        if inPart {
            for (name, parameter) in network.namedParameters { parameter.isTrainable = name.hasPrefix("decoder.") }
        }
        func run(_ phase: Phase) -> (outputs: [[Float]], gradients: Gradients) {
            let outputs = network(x, in: phase)
            // A loss that joins the samples: what flows back to one depends on the others.
            let powers = (inPart ? outputs.suffix(1) : outputs[...]).map { mean(multiply($0, $0)) }.map {
                multiply($0, $0)
            }
            let loss = powers.dropFirst().reduce(powers[0], add)
            var ready = Gradients()
            let gradients = loss.backward { parameter, gradient in
                #expect(ready[parameter] == nil)
                ready[parameter] = gradient
            }
            for (name, parameter) in network.namedParameters {
                #expect(ready[parameter]?.scalars == gradients[parameter]?.scalars, "\(name)")
            }
            return (outputs.map(\.scalars), gradients)
        }
        let (batch, samples) = (run(.training), run(.recomputing))
        for (one, other) in zip(batch.outputs, samples.outputs) {
            #expect(zip(one, other).allSatisfy { abs($0 - $1) <= 1e-5 })
        }
        expectEqual(batch.gradients, samples.gradients, of: network)
    }

    /// To the rounding of sums.
    private func expectEqual(_ kept: Gradients, _ again: Gradients, of network: UNet) {
        for (name, parameter) in network.namedParameters {
            let (expected, found) = (kept[parameter]?.scalars, again[parameter]?.scalars)
            #expect((expected == nil) == (found == nil), "\(name)")
            guard let expected, let found else { continue }
            let scale = expected.map(abs).max() ?? 0
            let worst = zip(expected, found).map { abs($0 - $1) }.max() ?? 0
            // The gradient of a bias before a norm is zero but for rounding.
            #expect(worst <= 1e-5 * scale + 1e-7, "\(name)")
        }
    }
}
