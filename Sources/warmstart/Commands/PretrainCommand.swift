import ArgumentParser
import Foundation
import Pretraining
import Ranks
import Training

struct PretrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pretrain",
        abstract: "Pre-train a network on volumes without labels.",
        discussion: """
            The folder that comes out holds the weights, the resolved recipe, the log, checkpoints, and a page with \
            curves and pictures: index.html. Ctrl-C saves the state; --resume goes on, to the same bits.

            Built with --traits MPI, mpirun or srun may start it several times, also on several machines that see one file \
            system: the ranks share each batch (plan.batch is the whole one) and train one network.

            Examples:
              warmstart pretrain Pretrain/s3d-cpu.yaml --data VOLUMES --out pretrained
              mpirun -n 4 warmstart pretrain Pretrain/s3d-cpu.yaml --data VOLUMES --out pretrained --set plan.batch=4
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
        try Launch.run(isAgreed: { $0 is TrainingInterrupted }, train)
    }

    private func train(on ranks: any Communicator) throws {
        let sources = try data.map { try $0.requiredFolder() }
        let (recipe, resolved) = try PretrainingRecipe.load(
            recipe.required(), sources: sources, overrides: options.overrides)
        let training = PretrainingRun(recipe, resolved: resolved, path: options.out)
        var progress = Training.Progress("pre-training", total: recipe.training.schedule.steps)
        let preparation = PreparationProgress()
        try Interruption.bySignals { interruption in
            try training.train(
                resumes: options.resume, on: compute.cpu(of: ranks), ranks: ranks, interruption: interruption,
                progress: &progress, notify: preparation.show)
        }
        guard ranks.isFirst else { return }
        print("\(options.out)/weights.safetensors\n\(options.out)/index.html")
    }
}
