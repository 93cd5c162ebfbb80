import ArgumentParser
import Experiments
import Foundation
import Volumes

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Write the page of a comparison anew, finished or not, and run nothing.",
        discussion: """
            With --data, the page also shows what the scores do not: distances of surfaces, gains by size of the structure, \
            kinds of errors, slices of the worst cases. --subgroups names a table with a line for each case, such as \
            case,centre,modality.

            Example:
              warmstart report comparison --data DATASET --subgroups centres.csv
            """)

    @Argument(help: "The folder of a comparison.")
    var comparison: ExistingPath

    @Option(help: "The dataset's folder, in nnU-Net's raw layout.")
    var data: ExistingPath?

    @Option(help: "A table of the groups that cases belong to, separated by commas or tabs.")
    var subgroups: ExistingPath?

    @OptionGroup var compute: ComputeOptions
    @OptionGroup var printing: PrintOptions

    func validate() throws {
        guard subgroups == nil || data != nil else { throw ValidationError("--subgroups needs --data.") }
    }

    func run() throws {
        let folder = try comparison.requiredFolder()
        let before = try ComparisonResults(contentsOf: "\(folder)/comparison.json")
        var run = ComparisonRun(before.comparison, folder: folder)
        run.bootstrap = before.bootstrap
        if let data {
            run.evidence = ComparisonEvidence(
                try NNUNetDataset(path: data.requiredFolder()),
                subgroups: try subgroups.map { try SubgroupFile(path: $0.required()) }, on: compute.cpu)
        }
        let results = try run.report()
        if printing.json {
            print(String(decoding: try results.encoded(), as: UTF8.self))
        } else {
            print("\(results.text)\n\(folder)/index.html")
        }
    }
}
