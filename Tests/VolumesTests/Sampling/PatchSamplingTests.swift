import Tensors
import Testing
import Volumes

@Suite struct PatchSamplingTests {
    /// Boxes of 10 around patches of 6 may leave an image of 20 by 2 at each side; a 7-voxel image is padded to 10 around its
    /// centre, by 2 in front and 1 behind, or moved by up to half of the larger need.
    @Test(
        "starts span the allowed range",
        arguments: [
            (20, 10, 6, -2...12), (20, 6, 6, 0...14), (7, 10, 6, -2...(-1)), (7, 10, 10, -2...(-1)),
            (5, 10, 6, -3...(-2)),
            (20, 11, 6, -3...12),
        ])
    func startsSpanTheirRange(size: Int, box: Int, patch: Int, expected: ClosedRange<Int>) {
        let sampling = PatchSampling(patch: Extent3(patch), box: Extent3(box), oversampling: .probability(0))
        let starts = Set(
            (0..<400).map {
                sampling.box(in: Extent3(size), foreground: nil, seed: 1, step: $0, sample: 0, batch: 1).depth
                    .lowerBound
            })
        #expect(starts == Set(expected))
    }

    @Test("the last third of a batch is forced", arguments: [(2, [1]), (3, [2]), (6, [4, 5]), (7, [5, 6]), (1, [])])
    func lastSamplesAreForced(batch: Int, forced: [Int]) {
        let sampling = PatchSampling(patch: 4)
        let extent = Extent3(40)
        let corner = ForegroundVoxels(classes: [.init(label: 1, voxels: [Int32(extent.volume - 1)])])
        let found = (0..<batch).filter { sample in
            (0..<20).allSatisfy { step in
                sampling.box(in: extent, foreground: corner, seed: 3, step: step, sample: sample, batch: batch)
                    == VoxelBox(origin: [37, 37, 37], extent: 4)
            }
        }
        #expect(found == forced)
    }

    @Test func forcedBoxesHoldAVoxelOfEachClassEquallyOften() {
        var labels = [Int16](repeating: 0, count: 30 * 30 * 30)
        for index in 0..<5000 { labels[index] = 1 }
        labels[20 * 900 + 15 * 30 + 4] = 2
        let foreground = ForegroundVoxels(labels: labels)
        let sampling = PatchSampling(patch: 8, oversampling: .probability(1))
        var rare = 0
        for step in 0..<1000 {
            let box = sampling.box(in: 30, foreground: foreground, seed: 7, step: step, sample: 0, batch: 1)
            let holdsRare = box.depth.contains(20) && box.height.contains(15) && box.width.contains(4)
            if holdsRare { rare += 1 }
            #expect(holdsRare || box.depth.lowerBound < 6)
        }
        #expect((440...560).contains(rare))
    }

    @Test func classesThatAreAbsentAreNotDrawn() {
        let empty = ForegroundVoxels(labels: [Int16](repeating: 0, count: 1000))
        #expect(empty.classes.isEmpty)
        let box = PatchSampling(patch: 4, oversampling: .probability(1))
            .box(in: 10, foreground: empty, seed: 1, step: 0, sample: 0, batch: 1)
        #expect(box.intersection(VoxelBox(whole: 10)) == box)
    }

    @Test(
        "as many voxels are kept as nnU-Net keeps",
        arguments: [(500, 500), (10_000, 10_000), (50_000, 10_000), (1_500_050, 15_001)])
    func keepsSomeVoxels(count: Int, kept: Int) {
        let foreground = ForegroundVoxels(labels: [Int16](repeating: 3, count: count) + [-1, 0, 9], ignoring: 9)
        #expect(foreground.classes.map(\.label) == [3])
        #expect(foreground.classes[0].voxels.count == kept)
        #expect(Set(foreground.classes[0].voxels).count == kept, "drawn without replacement")
    }

    @Test func imagesAreDrawnUniformly() {
        var counts = [Int](repeating: 0, count: 5)
        for step in 0..<5000 { counts[PatchSampling.image(of: 5, seed: 1, step: step, sample: 0)] += 1 }
        #expect(counts.allSatisfy { (880...1120).contains($0) })
        #expect(
            PatchSampling.image(of: 1000, seed: 1, step: 7, sample: 3)
                == PatchSampling.image(of: 1000, seed: 1, step: 7, sample: 3))
    }
}

@Suite struct PatchTests {
    private let patch = Patch(
        image: (0..<48).map(Float.init), channels: 2, labels: (0..<24).map { Int16($0) },
        extent: Extent3(depth: 2, height: 3, width: 4))

    @Test func boxesInsideAreCopied() {
        let part = patch.patch(in: VoxelBox(depth: 1..<2, height: 1..<3, width: 2..<4))
        #expect(part.image == [18, 19, 22, 23, 42, 43, 46, 47])
        #expect(part.labels == [18, 19, 22, 23])
    }

    @Test func beyondTheImageIsNothing() {
        let part = patch.patch(in: VoxelBox(depth: -1..<1, height: 2..<4, width: 3..<5))
        #expect(part.image == [0, 0, 0, 0, 11, 0, 0, 0, 0, 0, 0, 0, 35, 0, 0, 0])
        #expect(part.labels == [-1, -1, -1, -1, 11, -1, -1, -1])
        let far = patch.patch(in: VoxelBox(depth: 9..<10, height: 0..<1, width: 0..<1))
        #expect(far.image == [0, 0] && far.labels == [-1])
    }

    @Test(
        "the middle of a box is nnU-Net's centre crop",
        arguments: [(257, 160, 48), (205, 128, 38), (10, 6, 2), (10, 5, 3), (11, 6, 2)])
    func centre(box: Int, patch: Int, start: Int) {
        #expect(VoxelBox(whole: Extent3(box)).centered(Extent3(patch)).depth.lowerBound == start)
    }
}
