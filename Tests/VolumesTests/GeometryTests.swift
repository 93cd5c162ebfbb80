import Tensors
import Testing
import Volumes

@Suite struct GeometryTests {
    private let oblique = Geometry(
        extent: Extent3(depth: 4, height: 5, width: 6),
        affine: Affine(x: SIMD4(0.6, -1.6, 0, 5), y: SIMD4(0.8, 1.2, 0, -7), z: SIMD4(0, 0, 3, 11)))

    @Test("spacing is the length of the affine's columns, depth first")
    func spacing() {
        for (found, expected) in zip(oblique.spacingMM, [3.0, 2.0, 1.0]) { #expect(abs(found - expected) < 1e-12) }
        #expect(abs(oblique.voxelVolumeMM3 - 3.0 * (0.6 * 1.2 + 0.8 * 1.6)) < 1e-12)
        #expect(oblique.fileDimensions == [6, 5, 4])
    }

    @Test("positions of cropped and resampled grids agree with the original's")
    func positions() {
        let box = VoxelBox(depth: 1..<3, height: 2..<5, width: 0..<6)
        let cropped = oblique.cropped(to: box)
        let difference =
            cropped.positionMM(depth: 1, height: 1, width: 4) - oblique.positionMM(depth: 2, height: 3, width: 4)
        #expect((difference * difference).sum() < 1e-20)
        let resampled = oblique.resampled(to: Extent3(depth: 8, height: 10, width: 3))
        #expect(zip(resampled.spacingMM, [1.5, 1.0, 2.0]).allSatisfy { abs($0 - $1) < 1e-12 })
        let corner = resampled.positionMM(depth: -0.5, height: -0.5, width: -0.5)
        let expected = oblique.positionMM(depth: -0.5, height: -0.5, width: -0.5)
        #expect(((corner - expected) * (corner - expected)).sum() < 1e-20)
    }

    @Test("grids match up to a fraction of a voxel")
    func matching() {
        var moved = oblique
        moved.affine.x.w += 0.005
        #expect(oblique.matches(moved))
        moved.affine.x.w += 0.1
        #expect(!oblique.matches(moved))
        #expect(!oblique.matches(Geometry(extent: 4, affine: oblique.affine)))
    }

    @Test("singular and not finite affines are not invertible")
    func invertible() {
        #expect(oblique.affine.isInvertible)
        var affine = oblique.affine
        affine.z = SIMD4(0, 0, 0, 1)
        #expect(!affine.isInvertible)
        affine.z = SIMD4(0, 0, .nan, 1)
        #expect(!affine.isInvertible)
        affine = oblique.affine
        affine.x.w = .infinity
        #expect(!affine.isInvertible)
    }

    @Test("the values of a label map are sorted")
    func labelValues() {
        let labels = LabelVolume(
            labels: [3, -1, 0, 3, 500, 0, 0, -1], geometry: Geometry(extent: 2, spacingMM: [1, 1, 1]))
        #expect(labels.values == [-1, 0, 3, 500])
    }
}
