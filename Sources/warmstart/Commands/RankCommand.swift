import ArgumentParser
import Evaluation
import Experiments
import Foundation

struct RankCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rank",
        abstract: "Rank initializations over several comparisons, each on a dataset of its own.",
        discussion: """
            Ranks the initializations on each dataset by their mean Dice, averages the ranks, and draws the test cases again \
            to see how often each keeps its place. Initializations are told apart by name; those that not all comparisons \
            have are left out.

            Example:
              warmstart rank comparisons/hippocampus comparisons/liver
            """)

    @Argument(help: "The folders of comparisons.")
    var comparisons: [ExistingPath]

    @Option(help: "How often test cases are drawn again.")
    var repetitions = 1000

    @OptionGroup var seed: SeedOptions
    @OptionGroup var printing: PrintOptions

    func validate() throws {
        guard repetitions >= 1 else { throw ValidationError("--repetitions must be at least 1, got \(repetitions).") }
    }

    func run() throws {
        let results = try comparisons.map {
            try ComparisonResults(contentsOf: "\($0.requiredFolder())/comparison.json")
        }
        let table = try RankTable(results, repetitions: repetitions, seed: seed.seed)
        if printing.json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            print(String(decoding: try encoder.encode(table), as: UTF8.self))
            return
        }
        var text = TextTable(
            columns: ["initialization", "rank", "95 % interval", "first"] + table.datasets.map { "rank, \($0)" })
        text.numeric = Set(1..<text.columns.count)
        for (index, method) in table.stability.methods.enumerated() {
            func number(_ value: Double, _ decimals: Int) -> String { String(format: "%.\(decimals)f", value) }
            text.rows.append(
                [
                    "\(method.name)", "\(number(method.rank, 2))",
                    "\(number(method.interval.lower, 2)) to \(number(method.interval.upper, 2))",
                    "\(number(100 * method.probabilityOfBest, 0)) %",
                ] + table.ranks[index].map { "\(number($0, 1))" })
        }
        print(text.text)
        if let tau = table.stability.kendallTau {
            print("\nKendall's tau of a repetition to all cases: \(String(format: "%.2f", tau)) on average")
        }
    }
}
