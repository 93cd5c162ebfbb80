import ArgumentParser
import Experiments
import Foundation
import Ranks
import Tensors
import Training
import Volumes
import WeightFiles

struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Compare initializations at several training-set sizes.",
        discussion: """
            Fine-tunes from scratch and from each of the weights, with the same cases, steps and seeds, and tests on \
            cases that no run saw. Prints a table; the page is index.html. --resume goes on with what is finished, also \
            with more sizes, seeds, weights or other datasets than before. Several jobs may share the runs of one folder, each with a --shard \
            of its own; the last one to finish writes the whole table.

            A recipe may list variants of the training instead, such as losses or schedules; they are the rows then, and \
            the first is the baseline.

            Examples:
              warmstart compare Finetune/compare-small-cpu.yaml --data DATASET --init S3D=pretrained --out comparison
              warmstart compare Finetune/compare-losses-cpu.yaml --data DATASET --out losses
              warmstart compare Finetune/compare-transfer-cpu.yaml --data DATASET --init S3D=pretrained \\
                --also "centre B=DATASET_B" --out transfer
            """)

    @Argument(help: "A fine-tuning recipe with a section comparison.")
    var recipe: ExistingPath

    @Option(help: "The dataset's folder, in nnU-Net's raw layout.")
    var data: ExistingPath

    @Option(
        name: .customLong("init"), parsing: .singleValue,
        help: ArgumentHelp(
            "Weights, and what to call them: a file, the folder of a run, or the name of published ones.",
            valueName: "name=weights"))
    var starts: [String] = []

    @Option(
        help: "A table of the groups that cases belong to, such as case,centre,modality: the page shows gains by group."
    )
    var subgroups: ExistingPath?

    @Option(
        name: .customLong("reuse"), parsing: .singleValue,
        help: ArgumentHelp(
            "Another comparison, whose runs are taken where everything that decides them is equal.", valueName: "folder"
        ))
    var reused: [ExistingPath] = []

    @Option(
        name: .customLong("also"), parsing: .singleValue,
        help: ArgumentHelp(
            """
            Another dataset with the same classes, and what to call it: every network is tested on its labeled cases, too, \
            without training there.
            """, valueName: "name=dataset"))
    var others: [String] = []

    @OptionGroup var sharding: ShardOptions
    @OptionGroup var options: RunOptions
    @OptionGroup var compute: ComputeOptions
    @OptionGroup var printing: PrintOptions

    func validate() throws {
        guard options.seed == nil else {
            throw ValidationError("A comparison has several seeds: use --set comparison.seeds=[0,1,2].")
        }
        for start in starts where start.split(separator: "=", maxSplits: 1).count != 2 {
            throw ValidationError("--init wants NAME=WEIGHTS, got \(start).")
        }
        for other in others where other.split(separator: "=", maxSplits: 1).count != 2 {
            throw ValidationError("--also wants NAME=DATASET, got \(other).")
        }
    }

    func run() throws {
        let recipe = try ComparisonRecipe.load(recipe.required(), overrides: options.overrides)
        let dataset =
            recipe.classifies
            ? try NNUNetDataset(classifying: data.requiredFolder()) : try NNUNetDataset(path: data.requiredFolder())
        let cpu = compute.cpu
        let others = try others.map(target)
        let comparison = try Comparison(
            dataset, initializations: recipe.initializations(starts.map(initialization)), recipe: recipe,
            transfer: others, on: cpu)
        try comparison.checkHeldOut()
        var comparisonRun = ComparisonRun(comparison, folder: options.out)
        comparisonRun.shard = sharding.part
        comparisonRun.reused = try reused.map { try $0.requiredFolder() }
        if !recipe.classifies {
            comparisonRun.evidence = ComparisonEvidence(
                dataset, subgroups: try subgroups.map { try SubgroupFile(path: $0.required()) }, on: cpu)
        }
        let results = try Interruption.bySignals { interruption in
            var runner = FinetuningRunner(
                dataset, interruption: interruption, progress: { Training.Progress("\($0.key)", total: $1) },
                on: cpu)
            runner.others = Dictionary(others.map { ($0.name, $0.dataset) }) { first, _ in first }
            try runner.check(comparison)
            do {
                return try comparisonRun.run(
                    with: runner, resume: options.resume,
                    report: { ComparisonLines.show($0, score: comparison.scoreName) })
            } catch let stopped as TrainingInterrupted {
                throw TrainingInterrupted(steps: stopped.steps, path: options.out)
            } catch is PreprocessingInterrupted {
                throw PreprocessingInterrupted(remedy: "continue with --resume --out \(options.out)")
            }
        }
        if printing.json {
            print(String(decoding: try results.encoded(), as: UTF8.self))
        } else {
            print("\(results.text)\n\(options.out)/index.html")
        }
    }

    private func target(_ other: String) throws -> (name: String, dataset: NNUNetDataset) {
        let parts = other.split(separator: "=", maxSplits: 1).map(String.init)
        return (parts[0], try NNUNetDataset(path: ExistingPath(argument: parts[1]).requiredFolder()))
    }

    private func initialization(_ start: String) throws -> Initialization {
        let parts = start.split(separator: "=", maxSplits: 1).map(String.init)
        let path = try WeightsSource(argument: parts[1]).file()
        return Initialization(name: parts[0], weights: path, digest: try ContentDigest.ofFile(path))
    }
}
