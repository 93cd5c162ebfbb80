import ArgumentParser
import Foundation
import Ranks
import Training
import Volumes
import WeightFiles

struct PreprocessCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "preprocess",
        abstract: "Crop, resample and normalize images into a store that training reads quickly.",
        discussion: """
            The store is a folder of Zarr v3 groups, one for each case. Interrupted work goes on where it was; a case whose \
            files changed since is refused. Several jobs may fill one store, each with a --shard of its own.

            Examples:
              warmstart preprocess --data DATASET --plan plan.json --out STORE
              warmstart preprocess --data FOLDER_OF_NIFTI_FILES --plan plan.json --out STORE --skip-unsuitable
            """)

    @Option(help: "A dataset in nnU-Net's raw layout, or any folder of NIfTI files.")
    var data: ExistingPath

    @Option(help: "The plan that warmstart plan wrote.")
    var plan: ExistingPath

    @Option(help: "The store's folder.")
    var out: String

    @Flag(help: "Leave out cases that cannot be preprocessed, and report them, instead of stopping.")
    var skipUnsuitable = false

    @OptionGroup var sharding: ShardOptions
    @OptionGroup var compute: ComputeOptions

    func run() throws {
        let folder = try data.requiredFolder()
        let plan = try Plan(contentsOf: plan.required())
        let isDataset = FileManager.default.fileExists(atPath: "\(folder)/dataset.json")
        var builder: StoreBuilder
        var cases: [DatasetCase]
        if isDataset {
            let dataset = try NNUNetDataset(path: folder)
            (builder, cases) = (StoreBuilder(plan: plan, dataset: dataset), dataset.trainingCases + dataset.testCases)
        } else {
            (builder, cases) = (StoreBuilder(plan: plan), try ImageFolder(path: folder).cases)
        }
        (cases, builder.part) = (sharding.part.part(of: cases), sharding.part.lockName)
        if skipUnsuitable { builder.unsuitable = .skip }
        let progress = CaseProgress("preprocessing", total: cases.count)
        let store = try Interruption.bySignals { interruption in
            builder.pause = {
                if interruption.isRequested { throw PreprocessingInterrupted(remedy: "the same command goes on") }
            }
            return try builder.build(cases, at: out, on: compute.cpu) { state in
                if let problem = state.problem {
                    StandardError.write("left out: \(problem)\n")
                }
                progress.advance(note: state.name)
            }
        }
        progress.finish()
        print("\(out): \(store.caseNames.count) cases")
    }
}
