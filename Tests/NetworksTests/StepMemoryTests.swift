import Networks
import Tensors
import Testing

/// What a training step holds at most, in bytes that tensors and kernels are handed, as a multiple of a map of full
/// resolution.
struct StepMemoryTests {
    /// Deep at full resolution, where memory goes; the parameters are small beside a map.
    private static let plan = NetworkPlan(inputChannels: 1, outputChannels: 2, features: [16, 16], blocks: [8, 1])
    private static let extent = Extent3(48)
    private static let mapBytes = Double(extent.volume * 16 * MemoryLayout<Float>.stride)

    private let cpu = CPU(threads: 1)
    private let network: UNet
    private let x: Tensor

    init() throws {
        network = try UNet(Self.plan, on: cpu)
        Initializer.pytorchDefault.initialize(network, seed: 5)
        x = Tensor.noise(Shape(samples: 1, extent: Self.extent, channels: 1), on: cpu)
    }

    /// The most that a step holds beyond what is there without it.
    private func peak(of phase: Phase) -> Double {
        let before = held()
        let y = network(x, in: phase)[0]
        _ = mean(multiply(y, y)).backward()
        return Double(cpu.takePeakBytes() - before) / Self.mapBytes
    }

    private func held() -> Int {
        _ = cpu.takePeakBytes()
        return cpu.takePeakBytes()
    }

    /// Of a residual block the results of its two convolutions and of itself are kept: norms, activations and
    /// concatenations are computed again. The decoder keeps the result of its convolution; the largest operation works
    /// on four maps; the second stage has an eighth of the voxels.
    @Test func blocksKeepThreeMaps() {
        let (blocks, decoder, working, coarse) = (3.0 * 8, 1.0, 4.0, 2.0)
        #expect(peak(of: .training) < blocks + decoder + working + coarse)
    }

    /// At full resolution a block needs three maps; joining needs the skip connection and room for two maps.
    @Test func aPredictionHoldsHardlyMoreThanThreeMaps() {
        let before = held()
        withExtendedLifetime(network(x, in: .inference)) {
            #expect(Double(cpu.takePeakBytes() - before) / Self.mapBytes < 3.6)
        }
    }

    @Test func recomputingTakesAtMostHalf() {
        let (kept, recomputed) = (peak(of: .training), peak(of: .recomputing))
        #expect(recomputed <= 0.5 * kept, "\(recomputed) of \(kept) maps")
    }

    /// In the shape of ResEnc-L, where single blocks of full resolution leave little to gain within a sample.
    @Test func recomputingSamplesTakesAtMostHalf() throws {
        let plan = NetworkPlan(inputChannels: 1, outputChannels: 2, features: [8, 16, 32], blocks: [1, 3, 4])
        let network = try UNet(plan, on: cpu)
        Initializer.pytorchDefault.initialize(network, seed: 5)
        let x = Tensor.noise(Shape(samples: 2, extent: Self.extent, channels: 1), on: cpu)
        func peak(_ phase: Phase) -> Int {
            let before = held()
            let y = network(x, in: phase)[0]
            _ = mean(multiply(y, y)).backward()
            return cpu.takePeakBytes() - before
        }
        let (kept, recomputed) = (peak(.training), peak(.recomputing))
        #expect(2 * recomputed <= kept, "\(recomputed) of \(kept) bytes")
    }

    /// Several machines send gradients while others are still computed, also of a batch that is computed again.
    @Test(arguments: [1, 2])
    func gradientsAreToldOfWhileOthersAreComputed(samples: Int) {
        let x = Tensor.noise(Shape(samples: samples, extent: Self.extent, channels: 1), on: cpu)
        let y = network(x, in: .recomputing)[0]
        var peaks: [Int] = []
        _ = mean(multiply(y, y)).backward { _, _ in peaks.append(cpu.takePeakBytes()) }
        let rest = held()
        // Between the first and the last telling somebody works on maps.
        let most = Double((peaks.dropFirst().max() ?? 0) - rest) / Self.mapBytes
        #expect(most > 3, "\(most) maps")
    }

    @Test func steadyStepsHoldTheSame() {
        let first = peak(of: .training)
        #expect(peak(of: .training) == first)
    }

    /// The tape of a masked encoder holds visible voxels only.
    @Test func maskedMapsAreKeptByTheirVisibleVoxels() {
        let grid = Extent3(2)
        func tape(visible: Int) -> Double {
            let before = held()
            let mask = BlockMask(samples: 1, grid: grid, visible: (0..<grid.volume).map { $0 < visible })
            let loss = mean(fillHidden(network.encoder(hide(x, mask), in: .training)[1], token: zeros))
            defer { withExtendedLifetime(loss) {} }
            return Double(held() - before) / Self.mapBytes
        }
        let (dense, quarter) = (tape(visible: 8), tape(visible: 2))
        #expect(dense > 24)
        #expect(quarter < 0.27 * dense, "\(quarter) of \(dense) maps")
    }

    private var zeros: Tensor { Tensor(zeros: [16], on: cpu) }
}
