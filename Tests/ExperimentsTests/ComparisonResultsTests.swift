import Evaluation
import Experiments
import Foundation
import Testing

@Suite("Results of a comparison")
struct ComparisonResultsTests {
    private func results(
        _ comparison: Comparison, finished: Int = .max, _ dice: (Cell, String) -> [Double] = FakeRunner.standard
    ) -> ComparisonResults {
        var outcomes: [CellKey: CellOutcome] = [:]
        for cell in comparison.cells.prefix(finished) {
            outcomes[cell.key] = CellOutcome(
                cases: cell.testCases.map { CaseDice(name: $0, dice: dice(cell, $0)) }, steps: 500, seconds: 61)
        }
        return ComparisonResults(comparison, outcomes: outcomes, bootstrap: Bootstrap(repetitions: 1000))
    }

    private func isClose(_ value: Double?, _ expected: Double) -> Bool { abs((value ?? .nan) - expected) < 1e-12 }

    /// Class a of scratch: (0.6 + 0.8) / 2 plus 0.02 and 0.04 in the two runs, 0.73; class b: 0.4 and the same, 0.43.
    @Test("group means are over cases and runs, then classes")
    func groups() throws {
        let results = results(try Comparison.small())
        #expect(
            results.groups.map { "\($0.initialization) \($0.size)" } == ["scratch 2", "scratch 4", "S3D 2", "S3D 4"])
        let scratch = results.groups[0]
        #expect(isClose(scratch.diceOfClasses[0], 0.73))
        #expect(isClose(scratch.diceOfClasses[1], 0.43))
        #expect(isClose(scratch.dice, 0.58))
        // Run means 0.57 and 0.59: their sample standard deviation is 0.01·√2.
        #expect(isClose(scratch.standardDeviation, 0.01 * 2.0.squareRoot()))
        #expect(scratch.runs == 2 && scratch.cases == 2 && scratch.trainingCases == 2)
        #expect(scratch.leftOut == 2)
        #expect(scratch.steps == 500 && scratch.seconds == 61)
        #expect(isClose(results.groups[2].dice, 0.58 + (0.11 - 0.05) / 2 / 2))
    }

    /// One image of each class: scratch tells both, S3D the first alone. Balanced accuracies of 1 and a half; each image has
    /// one class, so tests and ranks of images would be of the plain accuracy.
    @Test("a balanced accuracy comes without tests and ranks of single images")
    func balancedAccuracy() throws {
        let comparison = try Comparison(
            dataset: "Nodules", caseNames: (0..<10).map { "c0\($0)" }, classNames: ["a", "b"],
            metric: "balanced accuracy", initializations: [.scratch, Initialization(name: "S3D", weights: "w")],
            sizes: [4], split: .everyFifthHeldOut, seeds: [1, 2, 3])
        let results = results(comparison) { cell, name in
            name == "c00" ? [1, .nan] : [.nan, cell.key.initialization == "scratch" ? 1 : 0]
        }
        #expect(isClose(results.groups[0].dice, 1) && isClose(results.groups[1].dice, 0.5))
        for result in results.differences + results.overall {
            #expect(isClose(result.difference, -0.5) && result.interval != nil)
            #expect(
                [result.signFlipP, result.adjustedP, result.wilcoxonP, result.adjustedWilcoxonP] == [
                    nil, nil, nil, nil,
                ])
        }
        #expect(results.ranks == nil)
    }

    /// Class a: (0.11 − 0.05) / 2; class b: 0; so 0.015. Cases: c00 gains (0.11 + 0) / 2, c05 loses 0.05.
    @Test("paired differences compare each case with itself")
    func differences() throws {
        let results = results(try Comparison.small())
        #expect(results.differences.map(\.size) == [2, 4])
        for result in results.differences + results.overall {
            #expect(isClose(result.difference, 0.015))
            #expect(isClose(result.differenceOfClasses[0], 0.03))
            #expect(isClose(result.differenceOfClasses[1], 0))
            #expect(result.wins == 1 && result.losses == 1 && result.ties == 0)
            #expect(result.cases.map(\.name) == ["c00", "c05"])
            #expect(isClose(result.cases[0].difference, 0.055))
            #expect(isClose(result.cases[1].difference, -0.05))
            #expect(result.signFlipP == 1)
            // Drawn twice, c00 alone gives 0.055 and c05 alone −0.05, a quarter of the time each.
            #expect(isClose(result.interval?.lower, -0.05))
            #expect(isClose(result.interval?.upper, 0.055))
        }
        #expect(results.overall.map(\.size) == [nil])
        #expect(results.verdicts.map(\.outcome) == [.undecided])
    }

    @Test(
        "verdicts follow the interval",
        arguments: [(0.03, .helped), (-0.03, .hurt), (0.001, .noDifference)] as [(Double, Verdict.Outcome)])
    func verdicts(gain: Double, outcome: Verdict.Outcome) throws {
        func verdicts(seeds: [UInt64]) throws -> [Verdict.Outcome] {
            results(try Comparison.small(seeds: seeds)) { cell, name in
                // A gain that differs between cases in sign only where it does not matter.
                let sign = outcome == .noDifference && name == "c05" ? -1.0 : 1.0
                return [0.5 + (cell.key.initialization == "S3D" ? sign * gain : 0), 0.5]
            }.verdicts.map(\.outcome)
        }
        #expect(try verdicts(seeds: [1, 2, 3]) == [outcome])
        #expect(try verdicts(seeds: [1, 2]) == [.undecided], "two runs decide nothing, whatever the interval")
    }

    @Test("undecided is said in plain words, with the interval")
    func sentence() throws {
        let results = results(try Comparison.small())
        #expect(
            results.verdicts[0].sentence
                == "Undecided whether S3D helped: over all training-set sizes its Dice differs from scratch's by +0.015 "
                + "(95 % interval −0.050 to +0.055); better in 1 of 2 test cases, worse in 1. It takes 3 "
                + "training runs per point to decide, here are 2.")
    }

    @Test("many rows that want more runs are told together, what is decided stays by itself")
    func manyRows() throws {
        let rows = ["A", "B", "C", "D", "E"].map { Initialization(name: $0) }
        func text(_ rows: [Initialization], sizes: [TrainingSize] = [4], finished: Int? = nil) throws -> String {
            let comparison = try Comparison.small(
                initializations: [.scratch] + rows, sizes: sizes, seeds: [1, 2, 3])
            return results(comparison, finished: finished ?? comparison.cells.count).text
        }
        // The third seed of the baseline and of A is finished, of the others it is not.
        let mixed = try text(rows, finished: 14)
        #expect(mixed.contains("Undecided, for it takes 3 training runs per point: B, C, D, E. The table has"))
        #expect(mixed.contains(": over all training-set sizes its Dice differs"))
        #expect(mixed.components(separatedBy: "over all training-set sizes").count == 2, "A alone has a sentence")
        #expect(try !text(rows).contains("Undecided, for it takes"))
        // Few are told one by one, and so are the differences over several sizes, which the table does not have.
        #expect(try !text(Array(rows.prefix(4)), finished: 12).contains("Undecided, for it takes"))
        #expect(try !text(rows, sizes: [2, 4], finished: 24).contains("Undecided, for it takes"))
    }

    @Test("pairs only runs that both initializations have finished")
    func unfinished() throws {
        let comparison = try Comparison.small()
        // Seed 1 of both sizes, and scratch of seed 2 at size 2.
        let results = results(comparison, finished: 5)
        #expect(results.finishedCells == 5 && results.allCells == 8)
        #expect(results.groups[0].runs == 2)
        #expect(results.differences.map(\.runs) == [1, 1])
        #expect(results.differences.allSatisfy { isClose($0.difference, 0.015) })
        #expect(results.text.contains("5 of 8 training runs are finished."))
        #expect(results.text.contains("One training run per point"))
        #expect(self.results(comparison, finished: 0).groups.isEmpty)
        #expect(self.results(comparison, finished: 1).differences.isEmpty)
    }

    @Test("folds have their own test cases")
    func folds() throws {
        let comparison = try Comparison.small(split: .folds(5), seeds: [1])
        let results = results(comparison) { cell, name in
            let gain = cell.key.initialization == "S3D" ? 0.01 : 0
            return [0.05 * Double(name.dropFirst())! + gain, 0.5]
        }
        #expect(results.groups[0].cases == 10 && results.groups[0].runs == 5)
        #expect(isClose(results.groups[0].diceOfClasses[0], 0.05 * 4.5))
        #expect(results.differences.allSatisfy { $0.cases.count == 10 && $0.wins == 10 })
        #expect(results.differences.allSatisfy { isClose($0.difference, 0.005) })
        // All 10 of 2¹⁰ sign patterns alike: p = 2 / 1024, for two sizes twice that.
        #expect(results.differences.allSatisfy { $0.signFlipP == 2.0 / 1024 && $0.adjustedP == 4.0 / 1024 })
    }

    @Test("a class that is nowhere has no Dice and spoils no mean")
    func missingClass() throws {
        let results = results(try Comparison.small()) { _, _ in [0.5, .nan] }
        #expect(results.groups.allSatisfy { $0.dice == 0.5 && $0.diceOfClasses[1] == nil && $0.leftOut == 4 })
        #expect(results.text.contains("4 scores per row are left out"))
        let none = self.results(try Comparison.small()) { _, _ in [.nan, .nan] }
        #expect(none.groups.isEmpty && none.differences.isEmpty && none.verdicts.isEmpty)
        #expect(throws: Never.self) { try none.encoded() }
    }

    @Test("survive a round trip through comparison.json")
    func json() throws {
        let results = results(try Comparison.small(sizes: [2, .full]))
        let data = try results.encoded()
        let decoded = try JSONDecoder().decode(ComparisonResults.self, from: data)
        #expect(decoded.comparison == results.comparison)
        #expect(try decoded.encoded() == data)
    }

    @Test("the table has a row for each size and initialization")
    func table() throws {
        let lines = results(try Comparison.small()).text.split(separator: "\n").map(String.init)
        #expect(lines[0].hasPrefix("cases  initialization  runs   Dice     sd"))
        #expect(lines[1].hasPrefix("    2  scratch            2  0.580  0.014"))
        #expect(lines[2].hasPrefix("    2  S3D                2  0.595  0.014"))
        #expect(lines[2].contains("+0.015  −0.050 to +0.055"))
        #expect(lines[2].hasSuffix("1/1    500      61 s"))
    }
}
