import Augmentation
import Tensors
import Testing
import Volumes

/// The MedISeg survey's augmentation.
struct SurveyTests {
    @Test func noiseIsCutOff() {
        var (noisy, draws) = (Patch(paddingOf: 24, channels: 1, isLabeled: false), Draws.of(step: 1))
        BoundedNoise().apply(to: &noisy, draws: &draws)
        #expect(noisy.image.allSatisfy { abs($0) <= 0.2 } && noisy.image.contains { abs($0) == 0.2 })
        let (mean, deviation) = moments(noisy.image)
        // A normal number cut at two deviations has 0.9594 of its deviation.
        #expect(abs(mean) < 0.004 && abs(deviation - 0.09594) < 0.002)
    }

    @Test func gammaKeepsLimitsInsteadOfMoments() {
        let before = patch(8) { depth, height, width in depth * 64 + height * 8 + width }
        var (after, draws) = (before, Draws.of(step: 2))
        Gamma.survey.apply(to: &after, draws: &draws)
        #expect(after.image.min() == before.image.min() && abs(after.image.max()! - before.image.max()!) < 1e-3)
        #expect(abs(moments(after.image).mean - moments(before.image).mean) > 1)
    }

    @Test func quarterTurnsComeEquallyOftenAndTurnLabelsAlong() {
        let mark = Patch(
            image: [0, 1, 2, 3], channels: 1, labels: [0, 1, 2, 3], extent: Extent3(depth: 1, height: 2, width: 2))
        var counts: [[Float]: Int] = [:]
        for step in 0..<4000 {
            var (turned, draws) = (mark, Draws.of(step: step))
            QuarterTurns().apply(to: &turned, draws: &draws)
            #expect(turned.labels?.map(Float.init) == turned.image)
            counts[turned.image, default: 0] += 1
        }
        // Rotations only, no mirror images.
        #expect(Set(counts.keys) == [[0, 1, 2, 3], [2, 0, 3, 1], [3, 2, 1, 0], [1, 3, 0, 2]])
        #expect(counts.values.allSatisfy { (850...1150).contains($0) })
        let oblong = randomPatch(Extent3(depth: 2, height: 3, width: 5))
        var half = oblong
        for axis in 1...2 { half.mirror(along: axis) }
        for step in 0..<20 {
            var (turned, draws) = (oblong, Draws.of(step: step))
            QuarterTurns().apply(to: &turned, draws: &draws)
            #expect(turned == oblong || turned == half)
        }
    }

    @Test func eachPartIsASwitch() {
        let extent = Extent3(depth: 4, height: 8, width: 8)
        func kinds(_ cutter: PatchCutter) -> [String] { cutter.transforms.transforms.map { "\(type(of: $0))" } }
        let (a, b, both) = (
            PatchCutter.survey(patch: extent, intensity: true, geometry: false),
            PatchCutter.survey(patch: extent, intensity: false, geometry: true),
            PatchCutter.survey(patch: extent, intensity: true, geometry: true)
        )
        #expect(kinds(a) == ["BoundedNoise", "Gamma"] && a.spatial == nil && a.sampling.box == extent)
        #expect(kinds(b) == ["QuarterTurns", "Mirroring"] && b.spatial?.scaling == .uniform(0.8...1 / 0.85))
        #expect(kinds(both) == kinds(b) + kinds(a) && both.spatial == b.spatial)
    }

    /// A patch larger than the image, an image without contrast, and an image of one voxel give patches of numbers.
    @Test(arguments: [Extent3(depth: 3, height: 20, width: 9), Extent3(1)], [false, true])
    func smallAndConstantImages(extent: Extent3, isSurvey: Bool) throws {
        let image = Patch(
            image: [Float](repeating: 3, count: extent.volume), channels: 1,
            labels: [Int16](repeating: 1, count: extent.volume), extent: extent)
        let cutter =
            isSurvey ? PatchCutter.survey(patch: 16, intensity: true, geometry: true) : .segmentation(patch: 16)
        for step in 0..<8 {
            let patch = try cutter.patch(from: image, foreground: nil, seed: 1, step: step, sample: 0, batch: 1)
            #expect(patch.extent == 16 && patch.image.allSatisfy(\.isFinite))
        }
    }
}
