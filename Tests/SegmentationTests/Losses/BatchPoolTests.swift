import Ranks
import Segmentation
import Tensors
import Testing

/// Losses over a batch of which two ranks hold unequal parts.
struct BatchPoolTests {
    private static let extent = Extent3(depth: 4, height: 5, width: 6)
    private static let samples = 3

    private static let labels: [Int32] = {
        var draws = Draws(seed: 2, purpose: "pool labels")
        // The samples differ in how much is ignored (9) and which classes there are.
        return (0..<samples * extent.volume).map { voxel in
            let sample = voxel / extent.volume
            return draws.chance(0.2 * Double(sample)) ? 9 : Int32(draws.integer(in: 0..<(sample == 1 ? 2 : 3)))
        }
    }()
    private static let logits: [Float] = {
        var draws = Draws(seed: 3, purpose: "pool logits")
        return (0..<samples * extent.volume * 3).map { _ in Float(draws.normal()) }
    }()

    private static func run(_ loss: any SegmentationLoss, _ range: Range<Int>, weight: Float) -> (Float, [Float]) {
        let volume = extent.volume
        let logits = Tensor(
            Array(Self.logits[3 * volume * range.lowerBound..<3 * volume * range.upperBound]),
            shape: Shape(samples: range.count, extent: extent, channels: 3), on: CPU(threads: 1)
        ).tracked()
        let labels = LabelMap(
            samples: range.count, extent: extent,
            labels: Array(Self.labels[volume * range.lowerBound..<volume * range.upperBound]))
        let value = loss(logits, labels: labels)
        return (value.item * weight, value.backward(times: weight)[logits]?.scalars ?? [])
    }

    static let cases: [(String, any SegmentationLoss)] = {
        var pooled = DiceCrossEntropy()
        (pooled.batchDice, pooled.ignoredLabel) = (true, 9)
        var counted = DiceCrossEntropy()
        counted.ignoredLabel = 9
        var dice = DiceLoss()
        (dice.batchDice, dice.ignoredLabel) = (true, 9)
        return [
            ("batch dice", pooled), ("ignored voxels", counted), ("dice alone", dice),
            ("compound", CompoundLoss([.init(pooled, weight: 0.5), .init(dice, weight: 2)])),
        ]
    }()

    @Test("value and gradient are those of the undivided batch", arguments: 0..<4)
    func pooled(index: Int) throws {
        let loss = Self.cases[index].1
        #expect(!loss.isMeanOverSamples)
        let whole = Self.run(loss, 0..<Self.samples, weight: 1)
        let parts = try ThreadRanks.run(2) { ranks in
            let range = ranks.isFirst ? 0..<1 : 1..<Self.samples
            let share = Double(range.count) / Double(Self.samples)
            let pooled = try #require(Self.cases[index].1.pooled(BatchPool(ranks, share: share)))
            return Self.run(pooled, range, weight: Float(share))
        }
        #expect(abs(parts[0].0 + parts[1].0 - whole.0) < 1e-5)
        let gradient = parts[0].1 + parts[1].1
        let scale = whole.1.map(abs).max() ?? 0
        #expect(scale > 0 && gradient.count == whole.1.count)
        #expect(zip(gradient, whole.1).allSatisfy { abs($0 - $1) < 1e-5 * scale })
    }

    @Test("losses that pick voxels of the whole batch are not pooled")
    func refused() {
        let pool = BatchPool(OneProcess(), share: 0.5)
        #expect(HardVoxelLoss(.percent(10)).pooled(pool) == nil)
        #expect(
            CompoundLoss([.init(DiceLoss(), weight: 1), .init(HardVoxelLoss(.share(0.5)), weight: 1)]).pooled(pool)
                == nil)
    }
}
