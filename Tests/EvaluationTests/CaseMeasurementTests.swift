import Evaluation
import Tensors
import Testing
import Volumes

@Suite("Measurement of a case")
struct CaseMeasurementTests {
    private let cpu = CPU(threads: 2)
    private let geometry = Geometry(extent: Extent3(depth: 9, height: 20, width: 30), spacingMM: [3, 1, 2])

    /// A label map with a box of each label.
    private func labels(_ boxes: [(label: Int16, box: VoxelBox)]) -> [Int16] {
        let extent = geometry.extent
        return (0..<extent.volume).map { voxel in
            let (d, h, w) = (
                voxel / (extent.height * extent.width), voxel / extent.width % extent.height, voxel % extent.width
            )
            return boxes.last { $0.box.depth ~= d && $0.box.height ~= h && $0.box.width ~= w }?.label ?? 0
        }
    }

    private let first = VoxelBox(depth: 2..<6, height: 3..<9, width: 4..<10)
    private let shifted = VoxelBox(depth: 2..<6, height: 3..<9, width: 7..<13)
    private let second = VoxelBox(depth: 1..<3, height: 12..<18, width: 20..<26)

    private func measurement(_ structures: [Structure], ignoredLabel: Int? = nil) -> CaseMeasurement {
        var measurement = CaseMeasurement(structures, ignoredLabel: ignoredLabel)
        measurement.surface = SurfaceSelection(definitions: SurfaceDefinition.allCases, tolerancesMM: [1])
        return measurement
    }

    @Test("each structure is measured in its own box, with its own distances", arguments: SurfaceDefinition.allCases)
    func structures(definition: SurfaceDefinition) {
        let structures = [
            Structure(label: 1), Structure(label: 2), Structure(name: "both", labels: [1, 2]), Structure(label: 3),
        ]
        let scores = measurement(structures).scores(
            prediction: labels([(1, shifted), (2, second)]), reference: labels([(1, first), (2, second)]),
            geometry: geometry, on: cpu)
        let distance = Metric.surface(SurfaceMetric(.hausdorff, of: definition))
        // Three voxels of 2 mm.
        #expect(scores[0][distance] == 6)
        #expect(scores[1][distance] == 0)
        #expect(scores[2][distance] == 6)
        #expect(scores[3][distance].isNaN && scores[3][.dice].isNaN)
        #expect(scores[0][.dice] == 0.5)
    }

    @Test("voxels that the reference ignores belong to neither surface")
    func ignored() {
        let everything = VoxelBox(depth: 0..<9, height: 0..<20, width: 10..<30)
        let scores = measurement([Structure(label: 1)], ignoredLabel: 7).scores(
            prediction: labels([(1, shifted)]), reference: labels([(1, first), (7, everything)]), geometry: geometry,
            on: cpu)[0]
        // Of the prediction the columns 7 to 9 are left: the farthest surface voxel of the reference is at column 4.
        #expect(scores[.surface(SurfaceMetric(.hausdorff, of: .boundaryVoxels))] == 6)
        #expect(scores[.falsePositives] == 0)
    }

    @Test("a structure that only one mask has counts as the image's diagonal")
    func missed() {
        let structures = [Structure(label: 1)]
        let measurement = measurement(structures)
        let found = measurement.scores(
            prediction: labels([(1, shifted)]), reference: labels([(1, first)]), geometry: geometry, on: cpu)
        let missed = measurement.scores(
            prediction: labels([]), reference: labels([(1, first)]), geometry: geometry, on: cpu)
        let diagonal = (27.0 * 27 + 20 * 20 + 60 * 60).squareRoot()
        #expect(geometry.diagonalMM == diagonal)
        let scores = DatasetScores(
            structures: structures, surface: measurement.surface,
            cases: [found, missed].map {
                CaseScores(
                    name: "", predictionFile: "", referenceFile: "", diagonalMM: geometry.diagonalMM, structures: $0)
            })
        let distance = Metric.surface(SurfaceMetric(.hausdorff, of: .elements))
        #expect(missed[0][distance] == .infinity)
        #expect(scores.scores(distance, ofStructure: 0).mean == (6 + diagonal) / 2)
        #expect(scores.missed(structure: 0) == 1)
        #expect(missed[0][.surface(SurfaceMetric(.surfaceDice(toleranceMM: 1), of: .elements))] == 0)
    }
}
