import Evaluation
import Experiments
import Foundation
import Tensors
import Testing
import Volumes

@Suite("Calibration of a comparison's networks")
struct CalibrationResultsTests {
    /// One voxel of foreground in an image of eight, decided with this confidence, right or wrong as a whole.
    private func profile(confidence: Float, isRight: Bool) -> ConfidenceProfile {
        let reference: [Int16] = [1, 0, 0, 0, 0, 0, 0, 0]
        return ConfidenceProfile(
            decided: isRight ? reference : [0, 1, 1, 1, 1, 1, 1, 1],
            confidence: Array(repeating: confidence, count: 8),
            uncertainty: Array(repeating: isRight ? 0 : 0.9, count: 8),
            reference: reference, geometry: Geometry(extent: 2, spacingMM: [1, 1, 1]),
            structures: [Structure(label: 1)], on: CPU(threads: 1))
    }

    private func results() throws -> ComparisonResults {
        let comparison = try Comparison.small(sizes: [2])
        var outcomes: [CellKey: CellOutcome] = [:]
        for cell in comparison.cells {
            let isS3D = cell.key.initialization == "S3D"
            outcomes[cell.key] = CellOutcome(
                cases: cell.testCases.map { name in
                    let isRight = isS3D || name == "c00"
                    return CaseDice(
                        name: name, dice: [0.5, 0.5],
                        confidence: profile(
                            confidence: cell.key.seed == 1 ? 0.75 : 0.875, isRight: isRight))
                }, steps: 1, seconds: 1)
        }
        return ComparisonResults(comparison, outcomes: outcomes, bootstrap: Bootstrap(repetitions: 50))
    }

    /// scratch: errors of 0.25 and 0.75 in the first run, of 0.125 and 0.875 in the second, means 0.5. Over all voxels
    /// together the errors of cases would make up for each other: 0.25. S3D: 0.25 and 0.125.
    @Test("errors are means over cases, then runs")
    func rows() throws {
        let rows = try results().calibration
        #expect(rows.map(\.initialization) == ["scratch", "S3D"] && rows.allSatisfy { $0.runs == 2 })
        #expect(rows[0].expectedCalibrationError.mean == 0.5 && rows[0].expectedCalibrationError.standardDeviation == 0)
        #expect(rows[1].expectedCalibrationError.mean == 0.1875)
        // Where scratch is wrong it is unsure, in all voxels; where nothing is wrong or uncertain there is no overlap.
        #expect(rows[0].uncertaintyErrorOverlap.mean == 1 && rows[1].uncertaintyErrorOverlap.mean == nil)
        #expect(rows[0].curve.map(\.accuracy) == [0.5, 0.5] && rows[0].curve.map(\.confidence) == [0.75, 0.875])
        #expect(rows[1].curve.map(\.accuracy) == [1, 1])
    }

    @Test("survive a result's file and come to the page")
    func files() throws {
        let results = try results()
        let decoded = try JSONDecoder().decode(ComparisonResults.self, from: results.encoded())
        #expect(try decoded.encoded() == results.encoded())
        let score = CaseDice(name: "a", dice: [.nan, 1], confidence: profile(confidence: 0.3, isRight: false))
        let copy = try JSONDecoder().decode(CaseDice.self, from: JSONEncoder().encode(score))
        #expect(copy.confidence == score.confidence && copy.dice[1] == 1)
    }
}
