import ArgumentParser
import Foundation
import Pretraining
import Training

struct PretrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pretrain",
        abstract: "Pre-train a network on volumes without labels.",
        discussion: """
            The folder that comes out holds the weights, the resolved recipe, the log, checkpoints, and a page with \
            curves and pictures: index.html. Ctrl-C saves the state; --resume goes on, to the same bits.

            Example:
              warmstart pretrain Pretrain/s3d-cpu.yaml --data VOLUMES --out pretrained
            """)

    @Argument(help: "A recipe from Pretrain/.")
    var recipe: ExistingPath

    @Option(
        parsing: .upToNextOption,
        help: "Folders of NIfTI files, or datasets in nnU-Net's raw layout; instead of the recipe's.")
    var data: [ExistingPath] = []

    @OptionGroup var options: RunOptions
    @OptionGroup var compute: ComputeOptions

    func run() throws {
        let sources = try data.map { try $0.requiredFolder() }
        let (recipe, resolved) = try PretrainingRecipe.load(
            recipe.required(), sources: sources, overrides: options.overrides)
        let training = PretrainingRun(recipe, resolved: resolved, path: options.out)
        var progress = Training.Progress("pre-training", total: recipe.training.schedule.steps)
        try Interruption.bySignals { interruption in
            try training.train(
                resumes: options.resume, on: compute.cpu, interruption: interruption, progress: &progress
            ) { notice in
                StandardError.write("\(notice)\n")
            }
        }
        print("\(options.out)/weights.safetensors\n\(options.out)/index.html")
    }
}
