import Foundation
import Networks
import Tensors
import Testing

/// Golden numbers: dynamic-network-architectures' `ResidualEncoderUNet`, counted with PyTorch.
struct NetworkPlanTests {
    private static let large = NetworkPreset.l.plan(outputChannels: 1)

    @Test func theLargePresetHasThePublishedNumberOfParameters() {
        #expect(Self.large.encoderParameterCount == 90_296_576)
        #expect(Self.large.decoderParameterCount == 12_052_389)
        let four = NetworkPreset.l.plan(inputChannels: 4, outputChannels: 4)
        #expect(four.encoderParameterCount == 90_299_168)
        #expect(four.decoderParameterCount == 12_054_804)
    }

    @Test(
        "small networks have the published numbers of parameters and tensors",
        arguments: [
            (NetworkPlan(inputChannels: 1, outputChannels: 3, features: [8, 16, 32], blocks: [1, 2, 2]), 148_590, 66),
            (NetworkPlan(inputChannels: 1, outputChannels: 2, features: [4, 8, 8], blocks: [1, 1, 2]), 15_868, 55),
        ])
    func smallNetworks(plan: NetworkPlan, parameters: Int, tensors: Int) throws {
        let network = try UNet(plan, on: CPU(threads: 1))
        #expect(network.parameterCount == parameters)
        #expect(network.namedParameters.count == tensors)
        #expect(plan.parameterCount == parameters)
    }

    @Test("the count from the plan is that of the built network", arguments: UNet.variety)
    func countsAgree(plan: NetworkPlan) throws {
        let network = try UNet(plan, on: CPU(threads: 1))
        #expect(plan.parameterCount == network.parameterCount)
        #expect(plan.encoderParameterCount == network.encoder.parameterCount)
    }

    @Test(
        "the memory proxy is nnU-Net's",
        arguments: [(32, 8_644_160), (64, 69_153_280), (96, 233_392_320), (128, 553_226_240), (160, 1_080_520_000)])
    func memoryProxy(edge: Int, expected: Int) {
        #expect(Self.large.memoryProxy(patch: Extent3(edge)) == expected)
    }

    @Test func deepSupervisionAndSlicesEnterTheMemoryProxy() {
        let supervised = NetworkPreset.l.plan(outputChannels: 3, deepSupervision: true)
        #expect(supervised.memoryProxy(patch: 128) == 558_319_104)
        let slices = NetworkPlan(
            dimensions: .two, inputChannels: 1, outputChannels: 3, features: [32, 64, 128, 256, 512, 512, 512],
            blocks: [1, 3, 4, 6, 6, 6, 6], deepSupervision: true)
        #expect(slices.memoryProxy(patch: Extent3(depth: 1, height: 512, width: 512)) == 129_793_792)
    }

    @Test("every preset can be built and takes its own patch", arguments: NetworkPreset.allCases)
    func presets(preset: NetworkPreset) throws {
        let plan = preset.plan(outputChannels: 2)
        try plan.validate()
        try plan.check(extent: Extent3(preset.patchEdge))
    }

    @Test func extentsThatDoNotFitAreNamedWithTheNearestThatDo() {
        let plan = NetworkPreset.xs.plan(outputChannels: 2)
        let extent = Extent3(depth: 40, height: 50, width: 4)
        #expect(throws: NetworkPlanError.indivisible(extent: extent, by: 8)) { try plan.check(extent: extent) }
        let message = NetworkPlanError.indivisible(extent: extent, by: 8).description
        #expect(message.contains("use 40x48x8 or 40x56x8"), "\(message)")
        #expect(plan.padded(extent) == Extent3(depth: 40, height: 56, width: 8))
    }

    @Test(
        "plans that contradict themselves are refused",
        arguments: [
            (\.features, [8], .tooFewStages(1)),
            (\.blocks, [1], .wrongCount(name: "blocks", expected: 2, found: 1, stages: 2)),
            (\.decoderConvolutions, [], .wrongCount(name: "decoderConvolutions", expected: 1, found: 0, stages: 2)),
            (\.blocks, [1, 0], .notPositive(name: "blocks", 0)),
        ] as [(WritableKeyPath<NetworkPlan, [Int]> & Sendable, [Int], NetworkPlanError)])
    func refusesLists(key: WritableKeyPath<NetworkPlan, [Int]> & Sendable, value: [Int], error: NetworkPlanError) {
        var plan = NetworkPlan(inputChannels: 1, outputChannels: 1, features: [4, 8], blocks: [1, 1])
        plan[keyPath: key] = value
        #expect(throws: error) { try plan.validate() }
    }

    @Test func refusesKernelsAndStridesThatCannotWork() {
        let plan = NetworkPlan(inputChannels: 1, outputChannels: 1, features: [4, 8], blocks: [1, 1])
        var even = plan
        even.kernels[1].width = 2
        #expect(throws: NetworkPlanError.evenKernel(even.kernels[1])) { try even.validate() }
        var strided = plan
        strided.strides[0] = 2
        #expect(throws: NetworkPlanError.stridedFirstStage(2)) { try strided.validate() }
        var thick = plan
        thick.dimensions = .two
        #expect(throws: NetworkPlanError.depthInSlices(3)) { try UNet(thick, on: CPU(threads: 1)) }
    }

    @Test func survivesJSON() throws {
        let plan = NetworkPreset.s.plan(inputChannels: 2, outputChannels: 5, deepSupervision: true)
        #expect(try JSONDecoder().decode(NetworkPlan.self, from: JSONEncoder().encode(plan)) == plan)
    }
}
