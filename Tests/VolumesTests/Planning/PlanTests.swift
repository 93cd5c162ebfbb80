import Foundation
import Tensors
import Testing
import Volumes

@Suite struct PlanTests {
    @Test func survivesJSON() throws {
        try withTemporaryFolder { folder in
            let statistics = CTStatistics(mean: 99.25, deviation: 39.5, lower: -41, upper: 176)
            var plan = Plan.fixed(channelNames: ["CT"], outputChannels: 3, patch: 64)
            plan.channels[0].normalization = .ct(statistics)
            plan.spacingMM = [nil, 0.75, 0.1 + 0.2]
            try plan.json().write(to: URL(fileURLWithPath: folder + "/plan.json"))
            #expect(try Plan(contentsOf: folder + "/plan.json") == plan)
        }
    }

    @Test(
        "a plan whose parts do not fit says so",
        arguments: [
            (#""width" : 64"#, #""width" : 33"#, "no multiple"), (#""batch" : 2"#, #""batch" : 0"#, "batch"),
            (#""format" : 1"#, #""format" : 99"#, "newer"), (#""batch" : 2"#, #""batch" : "two""#, "batch"),
            (#""batch" : 2,"#, "", "batch is missing"),
        ])
    func refusesNonsense(part: String, replacement: String, expected: String) throws {
        try withTemporaryFolder { folder in
            let plan = Plan.fixed(channelNames: ["T1"], outputChannels: 2, patch: 64)
            let json = try #require(String(data: plan.json(), encoding: .utf8))
            #expect(json.contains(part))
            let broken = json.replacingOccurrences(of: part, with: replacement)
            try broken.write(toFile: folder + "/plan.json", atomically: false, encoding: .utf8)
            let error = #expect(throws: PlanError.self) { try Plan(contentsOf: folder + "/plan.json") }
            #expect(error?.description.contains(expected) == true)
        }
    }

    @Test func theFixedPlanIsTheStudys() {
        let plan = Plan.fixed(channelNames: ["T1", "T2"], outputChannels: 4)
        #expect(plan.spacingMM == [1, 1, 1])
        #expect(plan.patch == 160)
        #expect(plan.channels.map(\.normalization) == [.zScore(insideOnly: false), .zScore(insideOnly: false)])
        #expect(plan.network.divisors == 32)
    }
}

@Suite struct DatasetPlanningTests {
    private func fingerprint(
        _ cases: [(extent: Extent3, spacingMM: [Double])], intensities: [Float] = [1], relativeSize: Double = 1
    ) -> Fingerprint {
        Fingerprint(
            cases.enumerated().map { index, shape in
                var made = CaseFingerprint(
                    name: "\(index)",
                    image: Volume(
                        voxels: intensities,
                        geometry: Geometry(
                            extent: Extent3(depth: 1, height: 1, width: intensities.count), spacingMM: [1, 1, 1])),
                    labels: [Int16](repeating: 1, count: intensities.count), voxelsBeforeCropping: intensities.count,
                    caseCount: cases.count, drawsPerDataset: 100_000)
                made.shape.extent = shape.extent
                made.shape.spacingMM = shape.spacingMM
                made.relativeSizeAfterCropping = relativeSize
                return made
            })
    }

    private let planner = DynamicPlanner(preset: .plain)

    @Test func theCoarsestAxisComesFirst() {
        let cases = [(extent: Extent3(depth: 200, height: 220, width: 60), spacingMM: [1, 1, 2.5])]
        let plan = planner.plans(for: fingerprint(cases), channelNames: ["T1"], outputChannels: 2).fullResolution
        #expect(plan.transpose == [2, 0, 1])
        #expect(plan.spacingMM == [2.5, 1, 1])
    }

    /// Five cases with slices of 4, 5, 6, 7, 8 mm and few of them: the 10th percentile is 4.4 mm.
    @Test func fewThickSlicesAreMadeThinner() {
        let cases = [4.0, 5, 6, 7, 8].map {
            (extent: Extent3(depth: 20, height: 300, width: 300), spacingMM: [$0, 1, 1])
        }
        let plan = planner.plans(for: fingerprint(cases), channelNames: ["T1"], outputChannels: 2).fullResolution
        #expect(abs((plan.spacingMM[0] ?? 0) - 4.4) < 1e-12)
        // Many slices are no reason.
        let long = cases.map { (extent: Extent3(depth: 200, height: 300, width: 300), spacingMM: $0.spacingMM) }
        #expect(
            planner.plans(for: fingerprint(long), channelNames: ["T1"], outputChannels: 2).fullResolution.spacingMM[0]
                == 6)
    }

    @Test func normalizationFollowsTheChannelsName() {
        let cases = [(extent: Extent3(64), spacingMM: [1.0, 1, 1])]
        func schemes(_ relativeSize: Double) -> [Normalization] {
            let single = fingerprint(cases, intensities: (0...1000).map(Float.init), relativeSize: relativeSize)
            return ["CT", "T1", "noNorm", "rescale_to_0_1", "rgb_to_0_1"].map {
                planner.plans(for: single, channelNames: [$0], outputChannels: 2).fullResolution.channels[0]
                    .normalization
            }
        }
        let whole = schemes(0.9)
        guard case .ct(let statistics) = whole[0] else {
            Issue.record("CT is normalized by \(whole[0])")
            return
        }
        // Drawn from 0...1000, each equally likely.
        #expect(abs(statistics.mean - 500) < 4)
        #expect(abs(statistics.deviation - 288.96) < 3)
        #expect(abs(statistics.lower - 5) <= 1 && abs(statistics.upper - 995) <= 1)
        #expect(Array(whole.dropFirst()) == [.zScore(insideOnly: false), .none, .zeroToOne, .rgb])
        #expect(schemes(0.5)[1] == .zScore(insideOnly: true))
    }

    @Test func largeImagesGetALowResolution() throws {
        let large = [(extent: Extent3(depth: 482, height: 512, width: 512), spacingMM: [1, 0.767, 0.767])]
        let plans = planner.plans(for: fingerprint(large), channelNames: ["CT"], outputChannels: 3)
        let low = try #require(plans.lowResolution)
        #expect(plans.fullResolution.batchDice && !low.batchDice)
        let size = zip(plans.fullResolution.spacingMM, low.spacingMM).map { $0! / $1! }
        let voxels = size[0] * size[1] * size[2] * 482 * 512 * 512
        #expect(Double(low.patch.volume) / voxels >= 0.25)
        let small = [(extent: Extent3(depth: 140, height: 171, width: 137), spacingMM: [1.0, 1, 1])]
        let smallPlans = planner.plans(for: fingerprint(small), channelNames: ["T1"], outputChannels: 4)
        #expect(smallPlans.lowResolution == nil && !smallPlans.fullResolution.batchDice)
    }

    @Test func planarPlansKeepEachImagesSlices() {
        let cases = [(extent: Extent3(depth: 14, height: 237, width: 208), spacingMM: [6.35, 1.5625, 1.5625])]
        let plan = planner.plans(for: fingerprint(cases), channelNames: ["T1"], outputChannels: 4).planar
        #expect(plan.spacingMM == [nil, 1.5625, 1.5625])
        #expect(plan.patch.depth == 1 && plan.batchDice)
        #expect(plan.network.strides.allSatisfy { $0.depth == 1 } && plan.network.kernels.allSatisfy { $0.depth == 1 })
        #expect(plan.network.features.last == 512)
    }
}
