import Augmentation
import Tensors
import Testing
import Volumes

@Suite struct PatchCutterTests {
    private let source = randomPatch(Extent3(depth: 40, height: 44, width: 38), channels: 2)

    @Test(
        "patches have their size and are functions of seed, step and sample",
        arguments: [
            PatchCutter.segmentation(patch: 24), .pretraining(patch: 24), .plain(patch: 24),
            .segmentation(patch: 24, masksOutside: true),
            .segmentation(patch: Extent3(depth: 6, height: 24, width: 24)),
            .segmentation(patch: Extent3(depth: 1, height: 24, width: 32)),
        ])
    func deterministic(cutter: PatchCutter) throws {
        let foreground = ForegroundVoxels(labels: source.labels!)
        for step in 0..<8 {
            func make() throws -> Patch {
                try cutter.patch(from: source, foreground: foreground, seed: 3, step: step, sample: 1, batch: 2)
            }
            let first = try make()
            #expect(first.extent == cutter.sampling.patch && first.channels == 2)
            #expect(try make() == first)
            #expect(first.image.allSatisfy { $0.isFinite })
        }
    }

    /// Every transform has a stream of its own.
    @Test func switchingOneOffLeavesTheOthers() {
        let all = TransformList([Brightness(probability: 1), Mirroring()])
        let fewer = TransformList([Mirroring()])
        for step in 0..<10 {
            var (a, b) = (source, source)
            all.apply(to: &a, seed: 1, step: step, sample: 0)
            fewer.apply(to: &b, seed: 1, step: step, sample: 0)
            #expect(a.labels == b.labels)
        }
        let purposes = TransformList.segmentation(masksOutside: true).transforms.map(\.purpose)
        #expect(Set(purposes).count == purposes.count)
    }

    @Test func plainPatchesAreThoseOfTheImage() throws {
        let patch = try PatchCutter.plain(patch: 16).patch(
            from: source, foreground: nil, seed: 1, step: 4, sample: 0, batch: 1)
        let box = PatchSampling(patch: 16).box(
            in: source.extent, foreground: nil, seed: 1, step: 4, sample: 0, batch: 1)
        #expect(patch == source.patch(in: box))
    }

    @Test func pretrainingKeepsIntensities() throws {
        let flat = Patch(image: [Float](repeating: 1, count: 64 * 64 * 64), channels: 1, labels: nil, extent: 64)
        for step in 0..<10 {
            let patch = try PatchCutter.pretraining(patch: 16).patch(
                from: flat, foreground: nil, seed: 2, step: step, sample: 0, batch: 1)
            // A spline overshoots a little where the image ends.
            #expect(patch.image.allSatisfy { (-0.3...1.3).contains($0) })
            #expect(patch.image.filter { abs($0 - 1) < 1e-3 }.count > patch.image.count / 3)
        }
    }
}
