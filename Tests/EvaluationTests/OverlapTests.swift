import Evaluation
import Testing

@Suite("Overlap")
struct OverlapTests {
    /// Two cubes of 10³ voxels, 2 voxels apart along one axis: 800 shared, 200 on either side.
    private let shiftedCubes = ConfusionTable(
        prediction: cube(from: 4), reference: cube(from: 2)
    ).overlap(of: Structure(label: 1))

    private static func cube(from start: Int) -> [Int16] {
        (0..<14 * 14 * 14).map { index in
            let (d, h, w) = (index / 196, index / 14 % 14, index % 14)
            return (2..<12).contains(d) && (2..<12).contains(h) && (start - 2..<start + 8).contains(w) ? 1 : 0
        }
    }

    @Test("of shifted cubes by hand")
    func cubes() {
        #expect(
            shiftedCubes
                == Overlap(truePositives: 800, falsePositives: 200, falseNegatives: 200, trueNegatives: 2744 - 1200))
        #expect(shiftedCubes.dice() == 0.8)
        #expect(shiftedCubes.iou() == 2.0 / 3)
        #expect(shiftedCubes.precision() == 0.8)
        #expect(shiftedCubes.recall() == 0.8)
        #expect(shiftedCubes.relativeVolumeError == 0)
    }

    @Test("IoU follows from Dice, and Dice is the harmonic mean of precision and recall")
    func identities() {
        let overlap = Overlap(truePositives: 37, falsePositives: 5, falseNegatives: 21)
        #expect(abs(overlap.iou() - overlap.dice() / (2 - overlap.dice())) < 1e-15)
        let harmonic = 2 / (1 / overlap.precision() + 1 / overlap.recall())
        #expect(abs(overlap.dice() - harmonic) < 1e-15)
        #expect(overlap.relativeVolumeError == -16.0 / 58)
    }

    @Test("precision and recall swap with the masks")
    func swapped() {
        let labels: (a: [Int16], b: [Int16]) = ([0, 1, 1, 2, 2, 0, 1], [1, 1, 0, 2, 0, 0, 1])
        let forward = ConfusionTable(prediction: labels.a, reference: labels.b).overlap(of: Structure(label: 1))
        let backward = ConfusionTable(prediction: labels.b, reference: labels.a).overlap(of: Structure(label: 1))
        #expect(forward.precision() == backward.recall())
        #expect(forward.dice() == backward.dice())
    }

    /// The table of `Overlap`: expected Dice, precision, recall, relative volume error.
    @Test(
        "states what empty masks mean",
        arguments: [
            ("both empty", [0, 0], [0, 0], [Double.nan, .nan, .nan, .nan]),
            ("reference empty", [0, 1], [0, 0], [0, 0, .nan, .nan]),
            ("prediction empty", [0, 0], [0, 1], [0, .nan, 0, -1]),
        ] as [(String, [Int16], [Int16], [Double])])
    func emptyMasks(name: String, prediction: [Int16], reference: [Int16], expected: [Double]) {
        let overlap = ConfusionTable(prediction: prediction, reference: reference).overlap(of: Structure(label: 1))
        let scores = StructureScores(overlap: overlap, voxelVolumeMM3: 1)
        let metrics: [OverlapMetric] = [.dice, .precision, .recall, .relativeVolumeError]
        for (metric, expected) in zip(metrics, expected) {
            #expect(scores[metric] == expected || scores[metric].isNaN && expected.isNaN, "\(metric) when \(name)")
        }
        #expect(scores[.iou] == scores[.dice] || scores[.iou].isNaN && scores[.dice].isNaN)
    }

    @Test("counts two empty masks as perfect only when told to")
    func perfect() {
        let empty = StructureScores(overlap: Overlap(trueNegatives: 9), voxelVolumeMM3: 1, bothEmpty: .perfect)
        #expect(empty[.dice] == 1 && empty[.iou] == 1 && empty[.precision] == 1 && empty[.recall] == 1)
        let missed = StructureScores(overlap: Overlap(falseNegatives: 9), voxelVolumeMM3: 1, bothEmpty: .perfect)
        #expect(missed[.dice] == 0)
    }

    @Test("merges the labels of a region and leaves out ignored voxels")
    func regions() {
        //                        hit  confused inside  missed  extra  ignored  none
        let prediction: [Int16] = [1, 3, 0, 2, 2, 0]
        let reference: [Int16] = [1, 1, 3, 0, 255, 0]
        let table = ConfusionTable(prediction: prediction, reference: reference, ignoredLabel: 255)
        let region = Structure(name: "whole tumor", labels: [1, 2, 3])
        #expect(
            table.overlap(of: region)
                == Overlap(truePositives: 2, falsePositives: 1, falseNegatives: 1, trueNegatives: 1))
        #expect(table.overlap(of: Structure(label: 3)).truePositives == 0)
        #expect(region.summaryKey == "(1, 2, 3)")
    }

    @Test("volumes are voxels times their size")
    func volumes() {
        let scores = StructureScores(overlap: shiftedCubes, voxelVolumeMM3: 3 * 0.8 * 0.8)
        #expect(abs(scores[.predictedVolumeMM3] - 1920) < 1e-9)
        #expect(scores[.referenced] == 1000)
    }

    @Test("of nothing is nothing")
    func noVoxels() {
        #expect(ConfusionTable(prediction: [], reference: []).counts.isEmpty)
    }

    @Test("traps when the label maps differ in size")
    func differentSizes() async {
        await #expect(processExitsWith: .failure) {
            _ = ConfusionTable(prediction: [1], reference: [1, 2])
        }
    }
}

@Suite("Means of a dataset")
struct DatasetScoresTests {
    /// Dice of class 1: 1, 0.5, NaN; of class 2: 0, NaN, NaN; class 3 never occurs.
    private let scores = DatasetScores(
        structures: (1...3).map { Structure(label: $0) },
        cases: [
            ([Overlap(truePositives: 4), Overlap(falseNegatives: 2), Overlap()]),
            ([Overlap(truePositives: 1, falsePositives: 2), Overlap(), Overlap()]),
            ([Overlap(), Overlap(), Overlap()]),
        ].enumerated().map { index, overlaps in
            CaseScores(
                name: "case\(index)", predictionFile: "p", referenceFile: "r",
                structures: overlaps.map { StructureScores(overlap: $0, voxelVolumeMM3: 1) })
        })

    @Test("leave out cases per class, then classes without any score")
    func means() {
        #expect(scores.scores(.dice, ofStructure: 0).mean == 0.75)
        #expect(scores.scores(.dice, ofStructure: 0).leftOut == 1)
        #expect(scores.scores(.dice, ofStructure: 1).mean == 0)
        #expect(scores.scores(.dice, ofStructure: 2).mean.isNaN)
        #expect(scores.foregroundMean(.dice) == 0.375)
        #expect(scores.foregroundMean(.dice, ofCase: 0) == 0.5)
        #expect(scores.foregroundMean(.dice, ofCase: 2).isNaN)
    }

    @Test("do not count the background")
    func background() {
        var withBackground = scores
        withBackground.structures[0] = Structure(label: 0, name: "background")
        #expect(withBackground.foregroundMean(.dice) == 0)
    }
}
