import Foundation
import Tensors
import Testing
import Volumes

@Suite struct PhantomTests {
    @Test("one seed and index make one case", arguments: Phantom.Kind.allCases)
    func isDeterministic(kind: Phantom.Kind) {
        let phantom = Phantom(kind, spacingMM: kind == .hippocampus ? nil : [6, 6, 6])
        let (first, again) = (phantom.sample(seed: 5, index: 3), phantom.sample(seed: 5, index: 3))
        #expect(first.image.voxels == again.image.voxels)
        #expect(first.labels.labels == again.labels.labels)
        #expect(first.image.geometry == again.image.geometry)
        #expect(phantom.sample(seed: 5, index: 4).image.voxels != first.image.voxels)
        #expect(phantom.sample(seed: 6, index: 3).image.voxels != first.image.voxels)
    }

    @Test("every organ is there, nothing else is labeled", arguments: [Phantom.Kind.organs, .hippocampus])
    func everyClassOccurs(kind: Phantom.Kind) {
        let phantom = Phantom(kind)
        for index in 0..<4 {
            #expect(
                phantom.sample(seed: 1, index: index).labels.values == (0..<Int16(phantom.classNames.count)).map(\.self)
            )
        }
    }

    @Test func headsHaveAllShells() {
        let phantom = Phantom(.head, spacingMM: [3, 3, 3])
        let values = Set(phantom.sample(seed: 2, index: 0).labels.values)
        #expect(values.isSuperset(of: [0, 1, 2, 3, 4, 5, 6]))
        #expect(values.isSubset(of: [0, 1, 2, 3, 4, 5, 6, 7]))
    }

    @Test func hippocampiAreLikeTheRealOnes() {
        for index in 0..<6 {
            let labels = Phantom(.hippocampus).sample(seed: 9, index: index).labels
            let extent = labels.extent
            #expect(
                (30...42).contains(extent.depth) && (44...56).contains(extent.height)
                    && (30...40).contains(extent.width))
            func rows(of label: Int16) -> [Int] {
                labels.labels.indices.filter { labels.labels[$0] == label }.map { $0 / extent.width % extent.height }
            }
            let (front, back) = (rows(of: 1), rows(of: 2))
            #expect(front.count > 700 && front.count < 5000 && back.count > 300 && back.count < 5000)
            // Height runs to the front of the head.
            let difference = mean(front.map(Double.init)) - mean(back.map(Double.init))
            #expect(difference > 8, "the anterior part lies in front of the posterior one")
        }
    }

    @Test func tissuesDifferAsInTheContrast() {
        func means(_ contrast: Phantom.Contrast) -> (fluid: Double, white: Double) {
            let made = Phantom(.head, contrasts: [contrast], spacingMM: [4, 4, 4], noise: 0, bias: 0).sample(
                seed: 1, index: 0)
            func mean(of label: Int16) -> Double {
                let inside = made.labels.labels.indices.filter { made.labels.labels[$0] == label }
                return inside.reduce(0) { $0 + Double(made.image.voxels[$1]) } / Double(inside.count)
            }
            return (mean(of: 6), mean(of: 5))
        }
        let (t1, t2) = (means(.t1), means(.t2))
        #expect(t1.fluid < 0.6 * t1.white)
        #expect(t2.fluid > 1.5 * t2.white)
    }

    /// Where there is no signal, Rician noise is Rayleigh noise: mean / deviation = sqrt(pi / 2) / sqrt(2 - pi / 2).
    @Test func noiseIsRician() {
        let made = Phantom(.head, spacingMM: [3, 3, 3]).sample(seed: 3, index: 1)
        let extent = made.image.extent
        // A head fills no corner of its box.
        let air = [(0, 0), (0, extent.width - 8), (extent.height - 8, 0), (extent.height - 8, extent.width - 8)].flatMap
        { corner in
            (0..<8 * 8 * 8).map { index in
                let (depth, height, width) = (index / 64, corner.0 + index / 8 % 8, corner.1 + index % 8)
                return Double(made.image.voxels[(depth * extent.height + height) * extent.width + width])
            }
        }
        let average = mean(air)
        let deviation = mean(air.map { ($0 - average) * ($0 - average) }).squareRoot()
        #expect(abs(average / deviation - 1.9131) < 0.12)
    }

    @Test func computedTomographyIsInHounsfieldUnits() {
        let made = Phantom(.organs, spacingMM: [6, 6, 6]).sample(seed: 1, index: 0)
        let liver = made.labels.labels.indices.filter { made.labels.labels[$0] == 1 }.map {
            Double(made.image.voxels[$0])
        }
        #expect(abs(mean(liver) - 105) < 40)
        #expect(made.image.voxels.min()! >= -1024)
        #expect(made.image.voxels.allSatisfy { $0 == $0.rounded() })
    }

    @Test func gridIsAsAsked() {
        let phantom = Phantom(.head, spacingMM: [9, 4, 4], tiltDegrees: 20)
        let geometry = phantom.sample(seed: 4, index: 2).image.geometry
        for (found, wanted) in zip(geometry.spacingMM, [9.0, 4, 4]) { #expect(abs(found - wanted) < 1e-9) }
        #expect(geometry.affine.determinant > 0)
        #expect(abs(geometry.affine.x.y) > 1e-3, "the axes are turned")
        #expect(abs(Double(geometry.extent.depth) * 9 - 168) < 12)
    }

    @Test func writesADatasetThatReadersUnderstand() throws {
        try withTemporaryFolder { folder in
            let phantom = Phantom(.hippocampus)
            try phantom.writeDataset(
                to: folder + "/data", name: "made up", cases: 3, unlabeled: 2, seed: 1, on: CPU(threads: 2))
            let dataset = try NNUNetDataset(path: folder + "/data")
            #expect(dataset.trainingCases.map(\.name) == ["hippocampus_0001", "hippocampus_0002", "hippocampus_0003"])
            #expect(dataset.testCases.count == 2)
            #expect(dataset.classes.map(\.name) == phantom.classNames)
            let made = phantom.sample(seed: 1, index: 1)
            let image = try dataset.readImage(dataset.trainingCases[1])
            let labels = try dataset.readLabels(dataset.trainingCases[1], on: image.geometry)
            #expect(image.voxels == made.image.voxels)
            #expect(image.geometry.matches(made.image.geometry, tolerance: 1e-4))
            #expect(labels?.labels == made.labels.labels)
            #expect(throws: (any Error).self) {
                try phantom.writeDataset(to: folder + "/data", name: "again", cases: 1, seed: 1, on: CPU(threads: 1))
            }
        }
    }
}

func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(max(values.count, 1)) }

/// Runs `body` with the path of a new folder, which is removed afterwards.
func withTemporaryFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.path + "/warmstart-\(UInt64.random(in: 0 ... .max))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try body(folder)
}
