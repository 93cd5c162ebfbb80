import Networks
import Tensors
import Testing

struct UNetTests {
    @Test func deepSupervisionGivesEveryLevelFullResolutionFirst() throws {
        let cpu = CPU(threads: 2)
        let plan = NetworkPlan(
            inputChannels: 1, outputChannels: 2, features: [2, 2, 2, 2, 2, 2], blocks: [1, 1, 1, 1, 1, 1],
            deepSupervision: true)
        let network = try UNet(plan, on: cpu)
        Initializer.he.initialize(network, seed: 3)
        let x = Tensor.noise([1, 64, 64, 64, 1], on: cpu)
        let all = network(x, in: .inference)
        #expect(all.map(\.shape.extent) == [64, 32, 16, 8, 4])
        #expect(all.allSatisfy { $0.shape.channels == 2 })
        let finest = network(x, outputs: 1, in: .inference)
        #expect(finest.count == 1 && finest[0].scalars == all[0].scalars)
    }

    /// With the last norm of each block at zero, a block computes `LReLU(skip(x))`, whatever its convolutions.
    @Test func residualBranchesAreSilentAfterHeInitialization() throws {
        let cpu = CPU(threads: 2)
        let network = try UNet(UNet.variety[0], on: cpu)
        Initializer.he.initialize(network, seed: 3)
        let x = Tensor.noise([1, 8, 12, 16, 1], on: cpu)
        let before = network(x, in: .inference)[0].scalars
        for case let (name, parameter) in network.namedParameters
        where name.contains("blocks") && (name.contains("conv1.conv") || name.contains("conv2.conv")) {
            parameter.scalars = parameter.scalars.map { 1.5 * $0 + 0.1 }
        }
        #expect(network(x, in: .inference)[0].scalars == before)
        #expect(Set(before).count > 1)
        for case let (name, parameter) in network.namedParameters where name.hasSuffix("conv2.norm.weight") {
            parameter.fill(with: 1)
        }
        #expect(network(x, in: .inference)[0].scalars != before)
    }

    /// Slices are volumes of depth 1: the same weights with a depth axis of 1 give the same numbers.
    @Test func slicesAreVolumesOfDepthOne() throws {
        let cpu = CPU(threads: 2)
        let slices = NetworkPlan(
            dimensions: .two, inputChannels: 2, outputChannels: 3, features: [4, 6], blocks: [1, 2])
        var volumes = slices
        volumes.dimensions = .three
        let (flat, deep) = (try UNet(slices, on: cpu), try UNet(volumes, on: cpu))
        Initializer.pytorchDefault.initialize(flat, seed: 9)
        for (source, target) in zip(flat.namedParameters, deep.namedParameters) {
            target.parameter.scalars = source.parameter.scalars
        }
        let x = Tensor.noise([2, 1, 8, 12, 2], on: cpu)
        #expect(flat(x, in: .inference)[0].scalars == deep(x, in: .inference)[0].scalars)
    }

    @Test("a mask that hides nothing changes nothing", arguments: UNet.variety.filter { $0.dimensions == .three })
    func allVisibleIsDense(plan: NetworkPlan) throws {
        let cpu = CPU(threads: 2)
        let network = try UNet(plan, on: cpu)
        Initializer.pytorchDefault.initialize(network, seed: 4)
        let extent = Extent3(depth: 8, height: 8, width: 16)
        let x = Tensor.noise(Shape(samples: 2, extent: extent, channels: plan.inputChannels), on: cpu)
        let grid = extent.zipped(with: plan.totalStride, /)
        let mask = BlockMask(samples: 2, grid: grid, visible: Array(repeating: true, count: 2 * grid.volume))
        let dense = network.encoder(x, in: .inference)
        let masked = network.encoder(hide(x, mask), in: .inference)
        for (dense, masked) in zip(dense, masked) {
            #expect(zip(dense.scalars, masked.scalars).allSatisfy { abs($0 - $1) < 1e-4 })
        }
    }

    @Test func initializersDrawEachParameterFromItsOwnName() throws {
        let cpu = CPU(threads: 1)
        let short = NetworkPlan(inputChannels: 1, outputChannels: 2, features: [4, 6], blocks: [1, 1])
        var long = short
        long.blocks = [2, 1]
        let networks = try [short, long].map { try UNet($0, on: cpu) }
        for network in networks { Initializer.he.initialize(network, seed: 11) }
        let values = networks.map { Dictionary($0.namedParameters.map { ($0.name, $0.parameter.scalars) }) { $1 } }
        for (name, scalars) in values[0] { #expect(values[1][name] == scalars, "\(name)") }
        #expect(values[1].count > values[0].count)
        Initializer.he.initialize(networks[0], seed: 12)
        #expect(networks[0].namedParameters[0].parameter.scalars != values[0][networks[0].namedParameters[0].name])
    }

    @Test func heHasTheDeviationOfTheFanInAndPyTorchItsBounds() {
        let cpu = CPU(threads: 1)
        // 32 -> 64, 3x3x3: fan-in 864. Transposed, stored [64, 320, 2, 2, 2]: fan-in 320 * 8, deviation 0.02795.
        let conv = Conv3D(inputChannels: 32, outputChannels: 64, kernel: 3, on: cpu)
        let up = ConvTranspose3D(inputChannels: 64, outputChannels: 320, stride: 2, on: cpu)
        Initializer.he.initialize(Pair(first: conv, second: up), seed: 5)
        #expect(abs(Self.deviation(conv.weight.scalars) - (2 / 1.0001 / 864).squareRoot()) < 3e-4)
        #expect(abs(Self.deviation(up.weight.scalars) - 0.02795) < 2e-4)
        #expect(conv.bias?.scalars.allSatisfy { $0 == 0 } == true)
        Initializer.pytorchDefault.initialize(Pair(first: conv, second: up), seed: 5)
        let bound = 1 / Float(864).squareRoot()
        #expect(conv.weight.scalars.allSatisfy { abs($0) <= bound } && conv.weight.scalars.max()! > 0.99 * bound)
        #expect(conv.bias?.scalars.contains { $0 != 0 } == true)
    }

    private struct Pair: Module {
        let first: Conv3D
        let second: ConvTranspose3D
        var members: [Member] { [.module("first", first), .module("second", second)] }
    }

    private static func deviation(_ values: [Float]) -> Double {
        let mean = values.reduce(0) { $0 + Double($1) } / Double(values.count)
        return (values.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(values.count)).squareRoot()
    }
}
