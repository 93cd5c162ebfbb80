import Augmentation
import Foundation
import Tensors
import Testing
import Volumes

@Suite struct SpatialTransformTests {
    /// Linear and spline interpolation reproduce linear images, so each voxel must show the place that it was taken from:
    /// `Rz Ry Rx S` times its offset from the patch's centre, from the box's centre.
    @Test("voxels come from where the matrix says", arguments: [Interpolation.linear, .cubic])
    func looksUpItsPlaces(interpolation: Interpolation) throws {
        let (extent, box, size) = (
            Extent3(depth: 6, height: 8, width: 7), Extent3(depth: 41, height: 44, width: 42), Extent3(60)
        )
        let source = patch(size) { 3 * $0 - 2 * $1 + 0.5 * $2 + 1 }
        let place = VoxelBox(origin: [10, 8, 11], extent: box)
        let (a, b, c, scale) = (0.3, -0.2, 0.45, 1.3)
        let map = SpatialMap(rotationDegrees: SIMD3(a, b, c) * (180 / .pi), scale: SIMD3(repeating: scale))
        let result = try source.patch(extent, in: place, mappedBy: map, interpolation: interpolation)

        func times(_ m: [[Double]], _ v: [Double]) -> [Double] { m.map { zip($0, v).reduce(0) { $0 + $1.0 * $1.1 } } }
        let rx = [[1, 0, 0], [0, cos(a), -sin(a)], [0, sin(a), cos(a)]]
        let ry = [[cos(b), 0, sin(b)], [0, 1, 0], [-sin(b), 0, cos(b)]]
        let rz = [[cos(c), -sin(c), 0], [sin(c), cos(c), 0], [0, 0, 1]]
        var index = 0
        var worst = 0.0
        for depth in 0..<6 {
            for height in 0..<8 {
                for width in 0..<7 {
                    let offset = [Double(depth) - 2.5, Double(height) - 3.5, Double(width) - 3]
                    let turned = times(rz, times(ry, times(rx, offset.map { $0 * scale })))
                    let at = [10 + 20 + turned[0], 8 + 21.5 + turned[1], 11 + 20.5 + turned[2]]
                    let expected = 3 * at[0] - 2 * at[1] + 0.5 * at[2] + 1
                    worst = max(worst, abs(Double(result.image[index]) - expected))
                    index += 1
                }
            }
        }
        #expect(worst < 2e-4)
    }

    /// Splines reproduce cubic polynomials, too.
    @Test func splinesReproduceCubics() throws {
        let source = patch(50) { pow(($0 - 25) / 10, 3) - pow(($1 - 24) / 10, 2) * ($2 - 26) / 10 }
        let map = SpatialMap(rotationDegrees: .zero, scale: SIMD3(repeating: 0.6))
        let result = try source.patch(8, in: VoxelBox(whole: 50), mappedBy: map, interpolation: .cubic)
        var index = 0
        for depth in 0..<8 {
            for height in 0..<8 {
                for width in 0..<8 {
                    let at = [depth, height, width].map { 24.5 + (Double($0) - 3.5) * 0.6 }
                    let expected = pow((at[0] - 25) / 10, 3) - pow((at[1] - 24) / 10, 2) * (at[2] - 26) / 10
                    #expect(abs(Double(result.image[index]) - expected) < 1e-4)
                    index += 1
                }
            }
        }
    }

    @Test("quarter turns permute voxels", arguments: [Interpolation.linear, .cubic])
    func quarterTurns(interpolation: Interpolation) throws {
        let edge = 9
        let source = randomPatch(Extent3(edge), channels: 2)
        let turns: [(SIMD3<Double>, (Int, Int, Int) -> (Int, Int, Int))] = [
            (SIMD3(90, 0, 0), { ($0, edge - 1 - $2, $1) }), (SIMD3(0, 90, 0), { ($2, $1, edge - 1 - $0) }),
            (SIMD3(0, 0, 90), { (edge - 1 - $1, $0, $2) }),
        ]
        for (degrees, origin) in turns {
            let map = SpatialMap(rotationDegrees: degrees, scale: SIMD3(repeating: 1))
            let turned = try source.patch(
                Extent3(edge), in: VoxelBox(whole: Extent3(edge)), mappedBy: map, interpolation: interpolation)
            var expected = source
            for index in 0..<edge * edge * edge {
                let (d, h, w) = origin(index / (edge * edge), index / edge % edge, index % edge)
                let from = (d * edge + h) * edge + w
                expected.labels?[index] = source.labels![from]
                for channel in 0..<2 { expected.image[channel * 729 + index] = source.image[channel * 729 + from] }
            }
            #expect(turned.labels == expected.labels)
            // Splines need mirrored borders to be exact there; a turn moves borders onto borders.
            #expect(largestDifference(turned.image, expected.image) < 1e-4)
        }
    }

    @Test("an untouched sample is the box's middle", arguments: [(11, 6), (10, 5), (12, 6), (257, 160)])
    func identity(box: Int, edge: Int) throws {
        let size = Extent3(depth: box, height: 12, width: 13)
        let (extent, whole) = (Extent3(depth: edge, height: 6, width: 5), VoxelBox(whole: size))
        let source = randomPatch(size)
        let plain = try source.patch(extent, in: whole, mappedBy: nil)
        #expect(plain == source.patch(in: whole.centered(extent)))
        // An identity matrix looks half a voxel aside where box and patch differ by an odd number.
        if (box - edge) % 2 == 0 {
            let same = VoxelBox(origin: [0, 0, 0], extent: Extent3(depth: box, height: 12, width: 13))
            let mapped = try source.patch(
                extent, in: same, mappedBy: SpatialMap(rotationDegrees: .zero, scale: SIMD3(repeating: 1)))
            #expect(mapped.labels == plain.labels)
            #expect(largestDifference(mapped.image, plain.image) < 1e-5)
        }
    }

    /// nnU-Net resamples the box alone. What lies around the box in the image must not be seen.
    @Test("voxels beyond the box count as outside", arguments: [Interpolation.linear, .cubic])
    func boxIsAllThereIs(interpolation: Interpolation) throws {
        let source = randomPatch(40)
        let box = VoxelBox(origin: [10, 12, 9], extent: 14)
        let map = SpatialMap(rotationDegrees: SIMD3(25, -10, 15), scale: SIMD3(repeating: 1.4))
        let direct = try source.patch(12, in: box, mappedBy: map, interpolation: interpolation)
        let cut = try source.patch(in: box).patch(
            12, in: VoxelBox(whole: 14), mappedBy: map, interpolation: interpolation)
        #expect(direct.labels == cut.labels)
        #expect(direct.labels!.contains(-1))
        #expect(largestDifference(direct.image, cut.image) < 1e-4)
    }

    /// Reading only what the patch looks at changes nothing, splines included.
    @Test("less is read, the same is seen", arguments: [Interpolation.linear, .cubic])
    func readsLess(interpolation: Interpolation) throws {
        let source = randomPatch(70)
        let box = VoxelBox(origin: [-5, 3, 2], extent: 64)
        let map = SpatialMap(rotationDegrees: SIMD3(12, 20, -8), scale: SIMD3(repeating: 0.8))
        let small = try source.patch(10, in: box, mappedBy: map, interpolation: interpolation)
        let large = try source.patch(50, in: box, mappedBy: map, interpolation: interpolation)
        let middle = large.patch(in: VoxelBox(whole: 50).centered(10))
        #expect(small.labels == middle.labels)
        #expect(largestDifference(small.image, middle.image) < 1e-5)
    }

    /// Each label's indicator, interpolated as an image, never exceeds that of the label that was chosen.
    @Test func labelsAreTheLargestInterpolatedIndicator() throws {
        let source = randomPatch(16, classes: 3)
        let box = VoxelBox(origin: [2, 2, 2], extent: 12)
        let map = SpatialMap(rotationDegrees: SIMD3(17, 8, -29), scale: SIMD3(repeating: 0.7))
        let result = try source.patch(10, in: box, mappedBy: map)
        let indicators = try (0..<3).map { label in
            var indicator = source
            indicator.image = source.labels!.map { $0 == label ? 1 : 0 }
            return try indicator.patch(10, in: box, mappedBy: map).image
        }
        for index in 0..<1000 {
            let chosen = indicators[Int(result.labels![index])][index]
            #expect(chosen >= indicators.map { $0[index] }.max()! - 2e-5)
        }
    }

    @Test("a smooth image and its labels stay together", arguments: [Interpolation.linear, .cubic])
    func alignment(interpolation: Interpolation) throws {
        var source = patch(40) { depth, height, width in
            let offset = SIMD3(depth - 19, height - 22, width - 18)
            return 10 - (offset * offset).sum().squareRoot()
        }
        source.labels = source.image.map { $0 > 0 ? 1 : 0 }
        let map = SpatialMap(rotationDegrees: SIMD3(30, -30, 20), scale: SIMD3(repeating: 0.9))
        let result = try source.patch(30, in: VoxelBox(whole: 40), mappedBy: map, interpolation: interpolation)
        var checked = 0
        for (value, label) in zip(result.image, result.labels!) where abs(value) > 0.75 && label >= 0 {
            #expect((value > 0) == (label == 1))
            checked += 1
        }
        #expect(checked > 20_000)
    }

    @Test(
        "initial patches are nnU-Net's",
        arguments: [
            (Extent3(160), 30.0, Extent3(257)), (Extent3(128), 30.0, Extent3(205)),
            (Extent3(depth: 40, height: 56, width: 40), 30.0, Extent3(depth: 73, height: 80, width: 64)),
        ])
    func initialPatch(patch: Extent3, degrees: Double, expected: Extent3) {
        #expect(SpatialTransform(rotationDegrees: degrees).initialPatch(for: patch) == expected)
    }

    @Test func thickSlicesStayWhereTheyAre() throws {
        let extent = Extent3(depth: 14, height: 64, width: 56)
        let spatial = SpatialTransform.segmentation(patch: extent)
        #expect(spatial.keepsSlices && spatial.rotationDegrees == 180)
        #expect(spatial.initialPatch(for: extent).depth == 14)
        var always = spatial
        (always.rotationProbability, always.scalingProbability) = (1, 1)
        let source = patch(Extent3(depth: 20, height: 90, width: 90)) { depth, _, _ in depth }
        for step in 0..<5 {
            let map = always.draw(seed: 1, step: step, sample: 0)
            let box = VoxelBox(origin: [3, 5, 5], extent: Extent3(depth: 14, height: 80, width: 80))
            let result = try source.patch(Extent3(depth: 14, height: 8, width: 8), in: box, mappedBy: map)
            #expect(largestDifference(result.image, (0..<14 * 64).map { Float(3 + $0 / 64) }) < 1e-4)
        }
    }

    @Test func rotationAndScalingAreDrawnApart() {
        let spatial = SpatialTransform()
        let maps = (0..<4000).map { spatial.draw(seed: 1, step: $0, sample: 0) }
        let touched = maps.filter { $0 != nil }.count
        #expect(abs(Double(touched) / 4000 - 0.36) < 0.03, "1 - 0.8 * 0.8")
        #expect(maps[17] == spatial.draw(seed: 1, step: 17, sample: 0))
    }
}
