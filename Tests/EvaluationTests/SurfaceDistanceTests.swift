import Evaluation
import Tensors
import Testing
import Volumes

@Suite("Distances of surfaces")
struct SurfaceDistanceTests {
    private let cpu = CPU(threads: 2)

    private func distances(
        _ prediction: BinaryMask, _ reference: BinaryMask, _ definition: SurfaceDefinition = .elements,
        spacingMM: [Double] = [1, 1, 1], on cpu: CPU? = nil
    ) -> SurfaceDistances {
        SurfaceDistances(
            prediction: prediction, reference: reference, spacingMM: spacingMM, definition: definition,
            on: cpu ?? self.cpu)
    }

    @Test("cubes shifted by two voxels have the values of the closed form")
    func shiftedCubes() {
        let (cube, shifted) = (BinaryMask.cube(at: 0), BinaryMask.cube(at: 2))
        let isotropic = distances(shifted, cube)
        #expect(isotropic.predictedSize.isClose(564.0996, 1e-4))
        #expect(isotropic.referenceSize.isClose(564.0996, 1e-4))
        #expect(isotropic.hausdorffMM() == 2)
        #expect(isotropic.hausdorffMM(percent: 95) == 2)
        #expect(isotropic.averageMM.isClose(0.679795, 1e-6))
        for (tolerance, expected) in [(0.0, 0.597322), (1, 0.722882), (2, 1)] {
            #expect(isotropic.surfaceDice(toleranceMM: tolerance).isClose(expected, 1e-6))
        }
        let thick = distances(shifted, cube, spacingMM: [3, 1, 1])
        #expect(thick.predictedSize.isClose(1328.568, 1e-3))
        #expect(thick.hausdorffMM(percent: 95) == 6)
        #expect(thick.averageMM.isClose(1.019939, 1e-6))
        #expect(thick.surfaceDice(toleranceMM: 1).isClose(0.769989, 1e-6))
        #expect(thick.surfaceDice(toleranceMM: 2).isClose(0.788053, 1e-6))
    }

    @Test("the area of a box is the closed form", arguments: [(1, 1, 1), (4, 1, 2), (5, 7, 3)])
    func boxArea(depth: Int, height: Int, width: Int) {
        let extent = Extent3(depth: depth, height: height, width: width)
        let box = BinaryMask(extent: extent, voxels: Array(repeating: 1, count: extent.volume))
        let (a, b, c) = (Double(depth - 1), Double(height - 1), Double(width - 1))
        let expected = 2 * (a * b + a * c + b * c) + 4 * 0.5.squareRoot() * (a + b + c) + 3.0.squareRoot()
        #expect(distances(box, box).predictedSize.isClose(expected, 1e-9))
        #expect(distances(box, box, .boundaryVoxels).predictedSize == Double(extent.shellVolume))
    }

    @Test("empty masks follow the stated rule", arguments: SurfaceDefinition.allCases)
    func empty(definition: SurfaceDefinition) {
        let cube = BinaryMask.cube(at: 0)
        let empty = BinaryMask(extent: cube.extent, voxels: Array(repeating: 0, count: cube.extent.volume))
        for missed in [distances(empty, cube, definition), distances(cube, empty, definition)] {
            #expect(missed.hausdorffMM() == .infinity)
            #expect(missed.hausdorffMM(percent: 95) == .infinity)
            #expect(missed.averageMM == .infinity)
            #expect(missed.averageOfDirectionsMM == .infinity)
            #expect(missed.surfaceDice(toleranceMM: 1000) == 0)
        }
        #expect(distances(empty, cube, definition).averageFromPredictionMM.isNaN)
        let nothing = distances(empty, empty, definition)
        for value in [nothing.hausdorffMM(), nothing.averageMM, nothing.surfaceDice(toleranceMM: 1)] {
            #expect(value.isNaN)
        }
    }

    @Test(
        "both directions are treated alike, and everything scales with the spacing",
        arguments: SurfaceDefinition.allCases)
    func symmetry(definition: SurfaceDefinition) {
        let extent = Extent3(depth: 9, height: 14, width: 11)
        let (first, second) = (BinaryMask.random(extent, seed: 1), BinaryMask.random(extent, seed: 2))
        let spacing = [2.5, 0.7, 1.1]
        let forth = distances(first, second, definition, spacingMM: spacing)
        let back = distances(second, first, definition, spacingMM: spacing)
        let scaled = distances(first, second, definition, spacingMM: spacing.map { 4 * $0 })
        #expect(forth.hausdorffMM(percent: 95) == back.hausdorffMM(percent: 95))
        #expect(forth.averageMM.isClose(back.averageMM, 1e-12))
        #expect(forth.averageFromPredictionMM == back.averageFromReferenceMM)
        #expect(scaled.hausdorffMM() == 4 * forth.hausdorffMM())
        #expect(scaled.averageMM.isClose(4 * forth.averageMM, 1e-12))
        #expect(forth.hausdorffMM(percent: 95) <= forth.hausdorffMM())
        let dice = stride(from: 0.0, through: 6, by: 0.25).map { forth.surfaceDice(toleranceMM: $0) }
        #expect(dice == dice.sorted() && dice[0] < 1 && dice.last == 1)
        let same = distances(first, first, definition, spacingMM: spacing)
        #expect(same.hausdorffMM() == 0 && same.averageMM == 0 && same.surfaceDice(toleranceMM: 0) == 1)
    }

    @Test("every distance is that of the nearest surface voxel, by brute force", arguments: [0.02, 0.3, 0.9])
    func bruteForce(density: Double) {
        let extent = Extent3(depth: 8, height: 13, width: 21)
        let (first, second) = (
            BinaryMask.random(extent, seed: 3, density: density), BinaryMask.random(extent, seed: 4, density: density)
        )
        let spacing = [1.7, 0.6, 1.3]
        let measured = distances(first, second, .boundaryVoxels, spacingMM: spacing)
        let (from, to) = (first.boundary(spacing), second.boundary(spacing))
        func nearest(_ point: SIMD3<Double>, _ others: [SIMD3<Double>]) -> Double {
            others.map { (($0 - point) * ($0 - point)).sum().squareRoot() }.min() ?? .infinity
        }
        let (forth, back) = (from.map { nearest($0, to) }, to.map { nearest($0, from) })
        #expect(measured.hausdorffMM().isClose((forth + back).max() ?? 0, 1e-12))
        #expect(measured.averageFromPredictionMM.isClose(forth.reduce(0, +) / Double(forth.count), 1e-12))
        #expect(measured.averageFromReferenceMM.isClose(back.reduce(0, +) / Double(back.count), 1e-12))
        #expect(measured.pooledHausdorffMM(percent: 95).isClose(Scores(forth + back).percentile(95), 1e-12))
    }

    @Test("surfaces far apart are measured as exactly as near ones", arguments: SurfaceDefinition.allCases)
    func farApart(definition: SurfaceDefinition) {
        let extent = Extent3(depth: 5, height: 40, width: 90)
        func slab(_ columns: Range<Int>) -> BinaryMask {
            BinaryMask(
                extent: extent, voxels: (0..<extent.volume).map { columns.contains($0 % extent.width) ? 1 : 0 })
        }
        let measured = distances(slab(0..<2), slab(80..<83), definition, spacingMM: [2, 1, 0.5])
        // From the far side of the second slab to the near side of the first: 81 columns of half a millimetre.
        #expect(measured.hausdorffMM() == 40.5)
    }

    @Test("a distance map is the brute-force one, also far from everything")
    func distanceMap() {
        let extent = Extent3(depth: 6, height: 40, width: 50)
        let targets: [Int32] = [3, 611, 7045]
        let spacing = [4.0, 0.5, 0.8]
        let map = euclideanDistancesMM(to: targets.map { Int($0) }, extent: extent, spacingMM: spacing, on: cpu)
        let places = targets.map { extent.place(Int($0), spacing) }
        for voxel in 0..<extent.volume {
            let place = extent.place(voxel, spacing)
            let expected = places.map { (($0 - place) * ($0 - place)).sum().squareRoot() }.min() ?? 0
            #expect(map[voxel].isClose(expected, 1e-12))
        }
        let nowhere = euclideanDistancesMM(to: [], extent: extent, spacingMM: spacing, on: cpu)
        #expect(nowhere.allSatisfy { $0 == .infinity })
    }

    @Test("the number of threads changes no bit", arguments: SurfaceDefinition.allCases)
    func threads(definition: SurfaceDefinition) {
        let extent = Extent3(depth: 17, height: 31, width: 23)
        let (first, second) = (BinaryMask.random(extent, seed: 5), BinaryMask.random(extent, seed: 6))
        let results = [1, 2, 5].map { threads in
            let measured = distances(first, second, definition, spacingMM: [1.5, 0.9, 0.7], on: CPU(threads: threads))
            return [measured.averageMM, measured.hausdorffMM(percent: 95), measured.surfaceDice(toleranceMM: 1)]
        }
        #expect(results[0] == results[1] && results[0] == results[2])
    }
}

extension Double {
    fileprivate func isClose(_ other: Double, _ tolerance: Double) -> Bool { abs(self - other) <= tolerance }
}

extension Extent3 {
    /// Voxels of a full box with a face on its outside.
    fileprivate var shellVolume: Int { volume - max(0, depth - 2) * max(0, height - 2) * max(0, width - 2) }

    /// Where a voxel lies, in millimetres.
    fileprivate func place(_ voxel: Int, _ spacing: [Double]) -> SIMD3<Double> {
        SIMD3(Double(voxel / (height * width)), Double(voxel / width % height), Double(voxel % width))
            * SIMD3(spacing[0], spacing[1], spacing[2])
    }
}

extension BinaryMask {
    /// A cube of ten voxels that begins `offset` slices from the top of twelve.
    fileprivate static func cube(at offset: Int) -> BinaryMask {
        let extent = Extent3(depth: 12, height: 10, width: 10)
        return BinaryMask(
            extent: extent,
            voxels: (0..<extent.volume).map { (offset..<offset + 10).contains($0 / 100) ? 1 : 0 })
    }

    /// Voxels that are inside with a probability.
    fileprivate static func random(_ extent: Extent3, seed: UInt64, density: Double = 0.3) -> BinaryMask {
        var draws = Draws(seed: seed, purpose: "test mask")
        return BinaryMask(extent: extent, voxels: (0..<extent.volume).map { _ in draws.uniform() < density ? 1 : 0 })
    }

    /// The places of the voxels with a neighbour outside.
    fileprivate func boundary(_ spacing: [Double]) -> [SIMD3<Double>] {
        func isInside(_ d: Int, _ h: Int, _ w: Int) -> Bool {
            (0..<extent.depth).contains(d) && (0..<extent.height).contains(h) && (0..<extent.width).contains(w)
                && voxels[(d * extent.height + h) * extent.width + w] == 1
        }
        return (0..<extent.volume).filter { voxel in
            let (d, h, w) = (
                voxel / (extent.height * extent.width), voxel / extent.width % extent.height, voxel % extent.width
            )
            return isInside(d, h, w)
                && !(isInside(d - 1, h, w) && isInside(d + 1, h, w) && isInside(d, h - 1, w) && isInside(d, h + 1, w)
                    && isInside(d, h, w - 1) && isInside(d, h, w + 1))
        }.map { extent.place($0, spacing) }
    }
}
