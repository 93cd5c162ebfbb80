import ArgumentParser
import Experiments
import Finetuning
import Foundation
import Ranks
import Tensors
import Training
import Volumes

struct FinetuneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "finetune",
        abstract: "Train a segmentation or classification network, from scratch or from pre-trained weights.",
        discussion: """
            One fold of the dataset's cross-validation (splits_final.json, or nnU-Net's five folds) is left out, validates the network while it trains, and is predicted and \
            scored at the end: summary.json. The folder that comes out is what predict takes as --model.

            With plan.head=classification whole images are classified; DATASET/classes.csv has the lines case,class and \
            NAME,CLASS for each case of imagesTr, and labelsTr is not needed.

            Examples:
              warmstart finetune Finetune/small-cpu.yaml --data DATASET --out scratch
              warmstart finetune Finetune/small-cpu.yaml --data DATASET --init pretrained --cases 10 --out from-s3d
              warmstart finetune Finetune/small-cpu.yaml --data DATASET \\
                --init resnet_10.pth --set plan.preset=of-weights \\
                --set plan.preprocessing=like-pretrained --out from-medicalnet
              warmstart finetune Finetune/classification.yaml --data NODULES --init pretrained --out nodules
            """)

    @Argument(help: "A recipe from Finetune/.")
    var recipe: ExistingPath

    @Option(help: "The dataset's folder, in nnU-Net's raw layout.")
    var data: ExistingPath

    @Option(
        name: .customLong("init"),
        help: "Weights to start from: a file, the folder of a run, the name of published ones, or none.")
    var start = "none"

    @Option(help: "The fold to leave out, counted from 0; all: train on every case, score none.")
    var fold = "0"

    @Option(help: "Train on so many cases of the other folds (default: on all).")
    var cases: Int?

    @Option(help: "A folder for preprocessed cases that several runs share.")
    var store: String?

    @OptionGroup var options: RunOptions
    @OptionGroup var compute: ComputeOptions
    @OptionGroup var printing: PrintOptions

    func validate() throws {
        guard fold == "all" || (Int(fold) ?? -1) >= 0 else {
            throw ValidationError("--fold must be 0, 1, 2, 3, 4 or all, got \(fold).")
        }
        if let cases, cases < 1 { throw ValidationError("--cases must be at least 1, got \(cases).") }
    }

    func run() throws {
        try Launch.run(isAgreed: { $0 is TrainingInterrupted }, train)
    }

    private func train(on ranks: any Communicator) throws {
        let recipe = try FinetuneRecipe.load(recipe.required(), overrides: options.overrides)
        let dataset = try recipe.0.dataset(at: data.requiredFolder())
        let weights = start == "none" ? nil : try WeightsSource(argument: start).file()
        let split = try split(of: dataset, seed: recipe.0.seed)
        let cpu = compute.cpu(of: ranks)
        var training = FinetuneRun(
            dataset: dataset, trainingCases: split.training, validationCases: split.test, weights: weights,
            recipe: recipe, folder: options.out, on: cpu)
        (training.store, training.ranks) = (store, ranks)
        let steps = training.schedule.steps
        try Interruption.bySignals { interruption in
            var progress = Training.Progress("fine-tuning", total: steps)
            let model = try training.train(
                options.resume ? .resuming : .fresh, interruption: interruption, progress: &progress
            ) { report in
                StandardError.write("\(report)\nevery tensor: \(options.out)/transfer.json\n")
            }
            guard ranks.isFirst else { return }
            guard !split.test.isEmpty else { return print(options.out) }
            var cases = Training.Progress("predicting", total: split.test.count, unit: "case")
            func advance(_ done: Int, _ all: Int, _ name: String) throws {
                if interruption.isRequested { throw TrainingInterrupted(steps: steps, path: options.out) }
                cases.advance(to: done, note: name)
            }
            if recipe.0.classifies {
                let scores = try training.classify(model, split.test, progress: advance)
                cases.finish()
                try ClassificationTable(scores).print(json: printing.json)
            } else {
                let scores = try training.evaluate(model, on: split.test, progress: advance)
                cases.finish()
                if recipe.0.region.interest != nil, recipe.0.region.coarse == nil {
                    StandardError.write(
                        "scored in the regions around the labels; with region.coarse=RUN it would be both stages\n")
                }
                try ScoreTable(scores).print(json: printing.json)
            }
            if !printing.json { print("\n\(options.out)/summary.json\n\(options.out)/index.html") }
        }
    }

    /// The cases to train on and those to score, which are none for `--fold all`.
    private func split(of dataset: NNUNetDataset, seed: UInt64) throws -> Split.Fold {
        let names = dataset.trainingCases.map(\.name)
        let index = Int(fold)
        var split = Split.Fold(training: names, test: [])
        if let index {
            let folds = try dataset.crossValidation()
            guard index < folds.count else {
                throw ValidationError("--fold must be at most \(folds.count - 1), or all, got \(fold).")
            }
            split = Split.Fold(training: folds[index].training, test: folds[index].validation)
        }
        if let cases, cases > split.training.count {
            throw ValidationError("--cases \(cases): there are \(split.training.count) cases to train on.")
        }
        if let cases { split.training = split.trainingSubset(.cases(cases), index: index ?? 0, seed: seed) }
        return split
    }
}
