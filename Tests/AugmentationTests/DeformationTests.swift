import Augmentation
import Tensors
import Testing
import Volumes

/// The parts of Models Genesis' deformation.
struct DeformationTests {
    private static func ramp(_ edge: Int) -> Patch {
        let count = edge * edge * edge
        return Patch(
            image: (0..<count).map { Float($0) / Float(count - 1) }, channels: 1, labels: nil, extent: Extent3(edge))
    }

    private static func applied(_ transform: some PatchTransform, to patch: Patch, seed: UInt64 = 1) -> Patch {
        var patch = patch
        TransformList([transform]).apply(to: &patch, seed: seed, step: 0, sample: 0)
        return patch
    }

    /// Control points on the diagonal: the curve is the diagonal.
    @Test func evenControlPointsGiveTheIdentity() {
        let (first, second) = (SIMD2(1.0 / 3, 1.0 / 3), SIMD2(2.0 / 3, 2.0 / 3))
        let (rising, falling) = (
            IntensityCurve(first, second, falls: false), IntensityCurve(first, second, falls: true)
        )
        for input in stride(from: Float(0), through: 1, by: 0.05) {
            #expect(abs(rising(input) - input) < 1e-4 && abs(falling(input) - (1 - input)) < 1e-4)
        }
    }

    /// At parameter 1/2 the curve is at (P0 + 3 P1 + 3 P2 + P3) / 8.
    @Test func theCurveGoesThroughItsMiddle() {
        let (first, second) = (SIMD2(0.2, 0.7), SIMD2(0.5, 0.1))
        let middle = (3 * first + 3 * second + SIMD2(1, 1)) / 8
        let falling = IntensityCurve(first, second, falls: true)
        // The curve runs from (1, 1) to (0, 0); its inputs sorted, the middle stays in the middle.
        #expect(abs(falling(Float(middle.x)) - Float(middle.y)) < 2e-3)
    }

    @Test func curvesRiseOrFallFromEndToEnd() {
        var draws = Draws(seed: 2, purpose: "test curves")
        for _ in 0..<4 {
            let points = (0..<2).map { _ in SIMD2(draws.uniform(), draws.uniform()) }
            let (rising, falling) = (
                IntensityCurve(points[0], points[1], falls: false), IntensityCurve(points[0], points[1], falls: true)
            )
            #expect(rising(0) == 0 && abs(rising(1) - 1) < 1e-6 && abs(falling(0) - 1) < 1e-6 && falling(1) == 0)
            #expect(rising(-3) == rising(0) && rising(3) == rising(1))
            let values = stride(from: Float(0), through: 1, by: 0.01).map { rising($0) }
            #expect(zip(values, values.dropFirst()).allSatisfy { $0 <= $1 })
        }
    }

    @Test func shufflingKeepsTheValuesOfAWindow() {
        let patch = Self.ramp(12)
        let one = Self.applied(PixelShuffling(probability: 1, windows: 1, size: .fixed(divisor: 2)), to: patch)
        #expect(one != patch && one.image.sorted() == patch.image)
        let moved = one.image.indices.filter { one.image[$0] != patch.image[$0] }
        #expect(moved.count <= 216)
        // Windows of less than 20 voxels have one voxel, at least.
        #expect(Self.applied(PixelShuffling(probability: 1), to: patch) == patch)
    }

    @Test func inPaintingStaysInsideAndOutPaintingLeavesBoxes() {
        let patch = Patch(image: [Float](repeating: 2, count: 8000), channels: 1, labels: nil, extent: 20)
        func isNearFace(_ index: Int) -> Bool {
            [index / 400, index / 20 % 20, index % 20].contains { $0 < 3 || $0 >= 17 }
        }
        for seed in 0..<8 as Range<UInt64> {
            let inside = Self.applied(InPainting(continuation: 1), to: patch, seed: seed).image
            let outside = Self.applied(OutPainting(), to: patch, seed: seed).image
            for (index, (a, b)) in zip(inside, outside).enumerated() {
                if isNearFace(index) { #expect(a == 2 && b < 1) }
                #expect(a == 2 || (0..<1).contains(a))
                #expect(b == 2 || (0..<1).contains(b))
            }
            // Five boxes of 3 to 6 voxels; at least one window of 9 to 12.
            #expect((27...5 * 216).contains(inside.count { $0 < 1 }))
            #expect(outside.count { $0 == 2 } >= 729)
        }
    }

    @Test func percentilesBecomeZeroAndOne() {
        var patch = Patch(
            image: (0...1000).reversed().map(Float.init) + [Float](repeating: 500, count: 330), channels: 1,
            labels: nil, extent: Extent3(depth: 11, height: 11, width: 11))
        let scale = UnitScale(of: (0...1000).map(Float.init))
        #expect(abs(scale.low - 5) < 1e-3 && abs(scale.high - 995) < 1e-3)
        scale.toUnit(&patch)
        #expect(patch.image[0] == 1 && patch.image[1000] == 0 && abs(patch.image[1200] - 0.5) < 1e-6)
        scale.fromUnit(&patch)
        #expect(abs(patch.image[0] - 995) < 1e-2 && abs(patch.image[500] - 500) < 1e-2)
        var flat = Patch(image: [Float](repeating: 7, count: 8), channels: 1, labels: nil, extent: 2)
        UnitScale(of: flat.image).toUnit(&flat)
        #expect(flat.image.allSatisfy { $0 == 0 })
    }
}
