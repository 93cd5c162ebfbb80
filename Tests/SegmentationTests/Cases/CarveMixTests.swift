import Augmentation
import Segmentation
import Tensors
import Testing
import Volumes

struct CarveMixTests {
    private let cpu = CPU(threads: 1)
    private static let extent = Extent3(depth: 7, height: 7, width: 7)

    /// A patch of one value with a cube of label 1.
    private func patch(_ value: Float, cube: ClosedRange<Int>?) -> Patch {
        let labels = (0..<343).map { voxel -> Int16 in
            guard let cube else { return 0 }
            return [voxel / 49, voxel / 7 % 7, voxel % 7].allSatisfy(cube.contains) ? 1 : 0
        }
        return Patch(
            image: [Float](repeating: value, count: 686), channels: 2, labels: labels, extent: Self.extent)
    }

    @Test func insideIsTheSourceOutsideTheTarget() {
        let (target, source) = (patch(1, cube: 0...1), patch(2, cube: 1...5))
        var sizes: Set<Int> = []
        for step in 0..<120 {
            var draws = Draws(seed: 1, purpose: "test", step: step)
            let mixed = CarveMix().mixed(target, with: source, draws: &draws, on: cpu)
            for voxel in 0..<343 {
                let isSource = mixed.image[voxel] == 2
                #expect(mixed.image[343 + voxel] == mixed.image[voxel], "all channels alike")
                #expect(mixed.labels?[voxel] == (isSource ? source : target).labels?[voxel])
            }
            sizes.insert(mixed.image[..<343].count { $0 == 2 })
        }
        // The cube of five is three voxels deep: it loses its shell, stays as it is, or grows by less than three voxels,
        // at first by its faces.
        #expect(sizes.isSuperset(of: [27, 125, 125 + 6 * 25]) && sizes.min() == 27)
    }

    @Test func aSourceWithoutStructuresChangesNothing() {
        var draws = Draws(seed: 1, purpose: "test")
        let target = patch(1, cube: 0...1)
        #expect(CarveMix().mixed(target, with: patch(2, cube: nil), draws: &draws, on: cpu) == target)
        #expect(CarveMix().mixed(target, with: patch(2, cube: 0...6), draws: &draws, on: cpu) == target)
    }

    @Test func batchesWithoutItAreThoseFromBefore() throws {
        let cases = (0..<2).map {
            LabeledCase(name: "\($0)", source: patch(Float($0), cube: 2...4), foreground: nil)
        }
        func batches(_ carveMix: CarveMix?) throws -> SegmentationBatch {
            var batches = try SegmentationBatches(
                of: cases, cutter: .plain(patch: Self.extent), batchSize: 6, seed: 3)
            batches.carveMix = carveMix
            return try batches.batch(step: 1)
        }
        let (plain, never, always) = (
            try batches(nil), try batches(CarveMix(probability: 0)), try batches(CarveMix(probability: 1))
        )
        #expect(plain.images == never.images && plain.cases == always.cases)
        #expect(plain.images != always.images)
        #expect(try batches(CarveMix(probability: 1)).images == always.images)
    }
}
