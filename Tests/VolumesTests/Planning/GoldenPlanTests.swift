import Tensors
import Testing
import Volumes

/// Plans that nnU-Net's own planner and networks gave (nnunetv2 with dynamic-network-architectures, executed).
struct GoldenPlan: Sendable, CustomTestStringConvertible {
    var dataset: Dataset
    var preset: PlannerPreset
    var patch: Extent3
    var batch: Int
    var activations: Int?

    struct Dataset: Sendable {
        var name: String
        var spacingMM: [Double]
        var medianSize: [Double]
        var classes: Int
        var cases: Double
    }

    var testDescription: String { "\(dataset.name), \(preset.name)" }

    static let brain = Dataset(
        name: "brain", spacingMM: [1, 1, 1], medianSize: [140, 171, 137], classes: 4, cases: 400)
    static let heart = Dataset(
        name: "heart", spacingMM: [6.35, 1.5625, 1.5625], medianSize: [14, 237, 208], classes: 4, cases: 160)
    static let hippocampus = Dataset(
        name: "hippocampus", spacingMM: [1, 1, 1], medianSize: [36, 50, 35], classes: 3, cases: 208)
    static let abdomen = Dataset(
        name: "abdomen", spacingMM: [2, 0.688, 0.688], medianSize: [104, 516, 516], classes: 16, cases: 160)
    static let liver = Dataset(
        name: "liver", spacingMM: [1, 0.767, 0.767], medianSize: [482, 512, 512], classes: 3, cases: 104)

    static let all: [GoldenPlan] = [
        .init(dataset: brain, preset: .plain, patch: 128, batch: 2, activations: 454_893_568),
        .init(dataset: brain, preset: .resEncM, patch: 128, batch: 2, activations: 559_517_696),
        .init(dataset: brain, preset: .resEncL, patch: size(160, 192, 160), batch: 3, activations: 1_311_369_600),
        .init(dataset: brain, preset: .resEncXL, patch: size(160, 192, 160), batch: 5),
        .init(dataset: heart, preset: .plain, patch: size(14, 256, 224), batch: 5, activations: 238_787_584),
        .init(dataset: heart, preset: .resEncM, patch: size(14, 256, 224), batch: 4, activations: 351_156_736),
        .init(dataset: heart, preset: .resEncL, patch: size(14, 256, 224), batch: 12),
        .init(dataset: heart, preset: .resEncXL, patch: size(14, 256, 224), batch: 21),
        .init(dataset: hippocampus, preset: .plain, patch: size(40, 56, 40), batch: 7, activations: 19_174_400),
        .init(dataset: hippocampus, preset: .resEncM, patch: size(40, 56, 40), batch: 58, activations: 23_609_600),
        .init(dataset: hippocampus, preset: .resEncL, patch: size(40, 56, 40), batch: 146),
        .init(dataset: hippocampus, preset: .resEncXL, patch: size(40, 56, 40), batch: 146),
        .init(dataset: abdomen, preset: .plain, patch: size(40, 224, 192), batch: 2, activations: 484_888_320),
        .init(dataset: abdomen, preset: .resEncM, patch: size(40, 224, 192), batch: 2, activations: 656_906_880),
        .init(dataset: abdomen, preset: .resEncL, patch: size(64, 320, 256), batch: 2),
        .init(dataset: abdomen, preset: .resEncXL, patch: size(64, 384, 320), batch: 2),
        .init(dataset: liver, preset: .plain, patch: 128, batch: 2, activations: 452_796_416),
        .init(dataset: liver, preset: .resEncM, patch: 128, batch: 2, activations: 557_420_544),
        .init(dataset: liver, preset: .resEncL, patch: 192, batch: 2, activations: 1_881_294_336),
        .init(dataset: liver, preset: .resEncXL, patch: size(224, 256, 224), batch: 2),
    ]

    static func size(_ depth: Int, _ height: Int, _ width: Int) -> Extent3 {
        Extent3(depth: depth, height: height, width: width)
    }

    var fit: DynamicPlanner.Fit {
        DynamicPlanner(preset: preset).fit(
            .init(
                spacingMM: dataset.spacingMM, medianSize: dataset.medianSize, outputChannels: dataset.classes,
                datasetVoxels: dataset.medianSize.reduce(dataset.cases, *)))
    }
}

@Suite struct GoldenPlanTests {
    @Test("patch, batch and activations are nnU-Net's", arguments: GoldenPlan.all)
    func fitsBudget(golden: GoldenPlan) {
        let fit = golden.fit
        #expect(fit.patch == golden.patch)
        #expect(fit.batch == golden.batch)
        if let activations = golden.activations { #expect(fit.activations == activations) }
    }

    @Test func thickSlicesKeepTheirResolutionAtFirst() {
        let network = GoldenPlan(dataset: GoldenPlan.heart, preset: .plain, patch: 1, batch: 1).fit.network
        let (flat, cube) = (GoldenPlan.size(1, 2, 2), Extent3(2))
        #expect(network.strides == [1, flat, flat, cube, flat, flat])
        #expect(network.kernels == [GoldenPlan.size(1, 3, 3), GoldenPlan.size(1, 3, 3), 3, 3, 3, 3])
        #expect(network.features == [32, 64, 128, 256, 320, 320])
    }

    @Test func aThickAxisIsPooledOnceTheOthersHaveCaughtUp() {
        let network = GoldenPlan(dataset: GoldenPlan.abdomen, preset: .plain, patch: 1, batch: 1).fit.network
        let flat = GoldenPlan.size(1, 2, 2)
        #expect(network.strides == [1, flat, 2, 2, 2, flat])
        #expect(network.kernels == [GoldenPlan.size(1, 3, 3), 3, 3, 3, 3, 3])
        #expect(network.divisors == GoldenPlan.size(8, 32, 32))
    }

    @Test(
        "ResEnc-L's activations",
        arguments: [
            (32, 8_644_160), (64, 69_153_280), (96, 233_392_320), (128, 553_226_240), (160, 1_080_520_000),
        ])
    func activationsOfResEncL(edge: Int, count: Int) {
        #expect(NetworkTopology.resEncL.activationCount(patch: Extent3(edge), outputChannels: 1) == count)
    }

    @Test func deepSupervisionAddsItsHeads() {
        let count = NetworkTopology.resEncL.activationCount(patch: 128, outputChannels: 3, deepSupervision: true)
        #expect(count == 558_319_104)
    }

    @Test func planarNetworksAreVolumesOfDepthOne() {
        let flat = GoldenPlan.size(1, 2, 2)
        let network = NetworkTopology(
            architecture: .residual, features: [32, 64, 128, 256, 512, 512, 512],
            strides: [1, flat, flat, flat, flat, flat, flat],
            kernels: [Extent3](repeating: GoldenPlan.size(1, 3, 3), count: 7), blocks: [1, 3, 4, 6, 6, 6, 6],
            decoderConvolutions: [1, 1, 1, 1, 1, 1])
        let patch = GoldenPlan.size(1, 512, 512)
        #expect(network.activationCount(patch: patch, outputChannels: 3, deepSupervision: true) == 129_793_792)
    }
}
