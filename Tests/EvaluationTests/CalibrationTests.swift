import Evaluation
import Tensors
import Testing
import Volumes

@Suite("Calibration")
struct CalibrationTests {
    private func reliability(_ voxels: [(confidence: Float, right: Int, all: Int)]) -> Reliability {
        var reliability = Reliability()
        for (confidence, right, all) in voxels {
            for index in 0..<all { reliability.add(confidence: confidence, isRight: index < right) }
        }
        return reliability
    }

    @Test("a network that is right as often as it says has no calibration error")
    func calibrated() {
        let perfect = reliability([(0.75, 3, 4), (0.5, 2, 4), (1, 7, 7)])
        #expect(perfect.expectedCalibrationError == 0)
        #expect(perfect.curve.map(\.confidence) == [0.5, 0.75, 1] && perfect.curve.map(\.voxels) == [4, 4, 7])
        #expect(perfect.curve.allSatisfy { $0.accuracy == $0.confidence })
    }

    /// 10 voxels at 1, of which 4 are right: 0.6 apart. 30 at 0.5, of which 24: 0.3 apart. (10 · 0.6 + 30 · 0.3) / 40.
    @Test("bins count by their voxels, whichever side of the diagonal they lie on")
    func error() {
        #expect(abs(reliability([(1, 4, 10), (0.5, 24, 30)]).expectedCalibrationError - 0.375) < 1e-12)
        // In one bin, errors make up for each other: 0.94 and 0.98 lie between 14/15 and 1.
        let shared = reliability([(0.9375, 1, 2), (0.984375, 2, 2)])
        #expect(shared.curve.count == 1)
        #expect(abs(shared.expectedCalibrationError - (0.9609375 - 0.75)) < 1e-12)
        #expect(Reliability().expectedCalibrationError.isNaN && Reliability().curve.isEmpty)
    }

    @Test("sums are the same in any order and grouping")
    func exact() {
        var draws = Draws(seed: 4, purpose: "test")
        let voxels = (0..<3000).map { _ in (Float(draws.uniform()), draws.uniform() < 0.5) }
        func sum(_ voxels: some Sequence<(Float, Bool)>) -> Reliability {
            voxels.reduce(into: Reliability()) { $0.add(confidence: $1.0, isRight: $1.1) }
        }
        let whole = sum(voxels)
        #expect(sum(voxels.reversed()) == whole)
        #expect(sum(voxels[2000...]) + sum(voxels[..<700]) + sum(voxels[700..<2000]) == whole)
    }

    /// Of 6 voxels with an uncertainty of at least 0.5, 4 are wrong; 8 are wrong in all: 2 · 4 / (6 + 8).
    @Test("the overlap of uncertain and wrong voxels is their Dice")
    func overlap() {
        var overlap = UncertaintyOverlap()
        for (uncertainty, right, wrong) in [(0.05, 90, 3), (0.45, 5, 1), (0.5, 1, 2), (1, 1, 2)] as [(Float, Int, Int)]
        {
            for _ in 0..<right { overlap.add(uncertainty: uncertainty, isRight: true) }
            for _ in 0..<wrong { overlap.add(uncertainty: uncertainty, isRight: false) }
        }
        #expect(overlap.dice(fromTenths: 5) == 8.0 / 14)
        // Everything is uncertain: 2 · 8 / (105 + 8).
        #expect(overlap.dice(fromTenths: 0) == 16.0 / 113)
        #expect((overlap + overlap).dice(fromTenths: 5) == 8.0 / 14)
        var sure = UncertaintyOverlap()
        #expect(sure.dice(fromTenths: 5).isNaN)
        sure.add(uncertainty: 0, isRight: true)
        #expect(sure.dice(fromTenths: 5).isNaN, "nothing wrong, nothing uncertain")
        sure.add(uncertainty: .nan, isRight: false)
        #expect(sure.dice(fromTenths: 9) == 1, "what is not a number is no certainty")
    }

    private func profile(
        _ decided: [Int16], _ reference: [Int16], spacingMM: [Double], side: Int = 13,
        structures: [Structure] = [Structure(label: 1), Structure(label: 2)], ignoredLabel: Int? = nil, threads: Int = 2
    ) -> ConfidenceProfile {
        ConfidenceProfile(
            decided: decided, confidence: decided.map { _ in 0.75 }, uncertainty: decided.map { _ in 0.2 },
            reference: reference,
            geometry: Geometry(extent: Extent3(depth: side, height: side, width: side), spacingMM: spacingMM),
            structures: structures, ignoredLabel: ignoredLabel, on: CPU(threads: threads))
    }

    /// Around one voxel: 515 points of a lattice lie within 5 of the origin, 81 in the plane; of slices 5 mm apart one point each.
    @Test(
        "reliability is that of the voxels near the reference's foreground",
        arguments: [([1, 1, 1], 515), ([5, 1, 1], 83)])
    func near(spacingMM: [Double], expected: Int) {
        var reference = [Int16](repeating: 0, count: 13 * 13 * 13)
        reference[6 * 169 + 6 * 13 + 6] = 2
        let found = profile(reference, reference, spacingMM: spacingMM)
        #expect(found.reliability.voxels.reduce(0, +) == expected)
        #expect(found.reliability.right.reduce(0, +) == expected && found.expectedCalibrationError == 0.25)
        #expect(found.overlap.right.reduce(0, +) == 2197, "the overlap is that of all voxels")
        #expect(profile(reference, reference, spacingMM: spacingMM, threads: 1) == found)
        let nothing = profile(reference, reference.map { _ in 0 }, spacingMM: spacingMM)
        #expect(nothing.expectedCalibrationError.isNaN && nothing.overlap.wrong.reduce(0, +) == 1)
    }

    @Test("ignored voxels do not count, and are no foreground")
    func ignored() {
        var reference = [Int16](repeating: 0, count: 27)
        reference[13] = 1
        let decided = reference
        reference[0] = 9
        let found = profile(decided, reference, spacingMM: [1, 1, 1], side: 3, ignoredLabel: 9)
        #expect(found.reliability.voxels.reduce(0, +) == 26 && found.overlap.right.reduce(0, +) == 26)
        reference[13] = 0
        #expect(
            profile(decided, reference, spacingMM: [1, 1, 1], side: 3, ignoredLabel: 9).expectedCalibrationError.isNaN)
    }

    @Test("labels of the same regions are the same")
    func regions() {
        let (decided, reference): ([Int16], [Int16]) = ([1, 1, 0, 3, 3, 0, 0, 0], [1, 2, 2, 1, 3, 0, 0, 0])
        let structures = [Structure(name: "whole", labels: [1, 2, 3]), Structure(name: "core", labels: [3])]
        let found = profile(decided, reference, spacingMM: [1, 1, 1], side: 2, structures: structures)
        // Wrong: background for the whole, and core for what is no core.
        #expect(found.overlap.wrong.reduce(0, +) == 2 && found.reliability.right.reduce(0, +) == 6)
    }
}
