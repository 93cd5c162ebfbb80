import Foundation
import Segmentation
import Tensors
import Testing

/// Closed forms of the losses that compare shapes.
struct ShapeLossTests {
    private let cpu = CPU(threads: 2)

    /// A binary volume as a label map and as certain logits of two classes.
    private func volume(_ extent: Extent3, _ isInside: (Int, Int, Int) -> Bool) -> (labels: LabelMap, logits: Tensor) {
        let inside = (0..<extent.volume).map {
            isInside($0 / (extent.height * extent.width), $0 / extent.width % extent.height, $0 % extent.width)
        }
        return (
            LabelMap(samples: 1, extent: extent, labels: inside.map { $0 ? 1 : 0 }),
            Tensor(
                inside.flatMap { $0 ? [-60, 60] : [60, -60] as [Float] },
                shape: Shape(samples: 1, extent: extent, channels: 2), on: cpu)
        )
    }

    private func near(_ a: Float, _ b: Double, within tolerance: Double = 1e-5) -> Bool {
        abs(Double(a) - b) <= tolerance * max(1, abs(b))
    }

    @Test func contoursOfSolids() {
        let square = volume(Extent3(depth: 1, height: 9, width: 9)) { (2...6).contains($1) && (2...6).contains($2) }
        let cube = volume(9) { [$0, $1, $2].allSatisfy((2...6).contains) }
        for (solid, size) in [(square, 16.0), (cube, 98)] {
            let nothing = Tensor(
                (0..<solid.logits.shape.count).map { $0 % 2 == 0 ? 60 : -60 }, shape: solid.logits.shape, on: cpu)
            let voxels = Double(solid.labels.extent.volume)
            #expect(near(PerimeterLoss()(nothing, labels: solid.labels).item, size * size / voxels))
            #expect(PerimeterLoss()(solid.logits, labels: solid.labels).item == 0)
        }
    }

    @Test func theBoundaryLossSumsSignedDistances() throws {
        // Distances 2 1 0 -1 0 1 2 of a bar of three voxels.
        let bar = volume(Extent3(depth: 1, height: 1, width: 7)) { (2...4).contains($2) }
        let tracked = Tensor(zeros: bar.logits.shape, on: cpu).tracked()
        let value = BoundaryLoss()(tracked, labels: bar.labels)
        #expect(near(value.item, 0.5 * 5 / 7))
        // Half of each distance: the derivative of a softmax at 1/2 is 1/4, the mean divides by seven.
        let gradient = try #require(value.backward()[tracked]).scalars
        for (voxel, distance) in [2.0, 1, 0, -1, 0, 1, 2].enumerated() {
            #expect(near(gradient[2 * voxel + 1], distance / 4 / 7) && near(gradient[2 * voxel], -distance / 4 / 7))
        }
        #expect(near(BoundaryLoss()(bar.logits, labels: bar.labels).item, -1.0 / 7))
        // Slices three times as far apart as voxels: distances count in voxels.
        let slab = volume(Extent3(depth: 3, height: 1, width: 1)) { depth, _, _ in depth == 0 }
        let everything = volume(Extent3(depth: 3, height: 1, width: 1)) { _, _, _ in true }
        let thick = BoundaryLoss(spacing: [6, 2, 2])(everything.logits, labels: slab.labels).item
        #expect(near(thick, (1 - 3 + 3 + 6) / 3))
    }

    @Test(arguments: [2, 3, 5])
    func aFarVoxelCostsItsSquaredDistance(distance: Int) {
        let extent = Extent3(depth: 4, height: 5, width: 11)
        func isObject(_ d: Int, _ h: Int, _ w: Int) -> Bool { (1...2).contains(d) && (1...3).contains(h) && w < 3 }
        let object = volume(extent, isObject)
        let extra = volume(extent) { d, h, w in isObject(d, h, w) || (d == 1 && h == 2 && w == 2 + distance) }
        let loss = HausdorffDistanceLoss()(extra.logits, labels: object.labels).item
        #expect(near(loss, (Double(distance * distance) + 1) / Double(extent.volume)))
        var oneSided = HausdorffDistanceLoss()
        oneSided.isTwoSided = false
        let half = oneSided(extra.logits, labels: object.labels).item
        #expect(near(half, Double(distance * distance) / Double(extent.volume)))
        #expect(HausdorffDistanceLoss()(object.logits, labels: object.labels).item == 0)
    }

    @Test func thickErrorsCostMoreThanThinOnes() {
        let nothing = volume(9) { _, _, _ in false }
        let cube = volume(9) { [$0, $1, $2].allSatisfy((3...5).contains) }
        let scattered = volume(9) { $0 % 3 == 1 && $1 % 3 == 1 && $2 % 3 == 1 }
        let loss = HausdorffErosionLoss()
        let (thick, thin) = (
            loss(cube.logits, labels: nothing.labels).item, loss(scattered.logits, labels: nothing.labels).item
        )
        #expect(thick > 0 && thin == 0, "27 voxels in one piece, and alone: a lone voxel's cross is below one half")
        // One erosion of a solid cube of three: the centre keeps 1/2, faces 6/7 - 1/2, edges 5/7 - 1/2, corners 4/7 - 1/2;
        // stretched, 1, 5/7, 3/7 and 1/7.
        var once = HausdorffErosionLoss()
        once.erosions = 1
        let sevenths = 7 + 6 * 5 + 12 * 3 + 8
        let expected = Double(sevenths) / 7 / 729
        #expect(near(once(cube.logits, labels: nothing.labels).item, expected))
        #expect(loss(cube.logits, labels: cube.labels).item == 0)
    }

    /// Values computed from the formula by hand, see the doc comment of the operation.
    @Test func regionFocalLossOfAHalfFoundObject() {
        let extent = Extent3(depth: 1, height: 10, width: 10)
        let object = volume(extent) { _, h, _ in h == 0 }
        let half = volume(extent) { _, h, w in h == 0 && w < 5 }
        let perfect = 1 - log(100.0) / log(40)
        #expect(near(RegionFocalLoss()(object.logits, labels: object.labels).item, perfect))
        #expect(near(RegionFocalLoss()(half.logits, labels: object.labels).item, -0.0652, within: 1e-4))
    }
}
