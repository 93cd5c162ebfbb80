import ArgumentParser
import Finetuning
import Foundation
import Segmentation
import Training
import Volumes
import WeightFiles

struct EnsembleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ensemble",
        abstract: "Learn how much each of several models shall count, class by class.",
        discussion: """
            Every model predicts the labeled cases that none of them was trained on, such as the fold that all of them left \
            out. Weights are learned on half of these cases, and kept if they are better than the plain average on the \
            other half. Models may differ in patch, network and loss.

            Example:
              warmstart ensemble --model small large --data DATASET --out ensemble.json
              warmstart predict --ensemble ensemble.json --input IMAGES --out PREDICTIONS
            """)

    @Option(parsing: .upToNextOption, help: "The folders of fine-tuning runs.")
    var model: [ExistingPath]

    @Option(help: "The dataset's folder, in nnU-Net's raw layout.")
    var data: ExistingPath

    @Option(help: "Where the weights are written.")
    var out: String

    @OptionGroup var compute: ComputeOptions
    @OptionGroup var printing: PrintOptions

    func validate() throws {
        guard model.count >= 2 else { throw ValidationError("An ensemble needs at least two models.") }
    }

    func run() throws {
        let folders = try model.map { try $0.requiredFolder() }
        let dataset = try NNUNetDataset(path: data.requiredFolder())
        let cpu = compute.cpu
        let members = try folders.map { try Ensemble(ofRuns: [$0], on: cpu) }
        for member in members { try member.requireWholeImages() }
        // Refuses models of other classes before anything is predicted.
        _ = try ModelMixture(members, rule: .averageProbabilities, on: cpu)
        let cases = try unseenCases(of: dataset, folders)
        let progress = CaseProgress("predicting", total: cases.count)
        let evidence = try cases.map { files in
            let sums = try LearnedEnsemble.evidence(of: members, on: files, in: dataset)
            progress.advance(note: files.name)
            return (name: files.name, sums: sums)
        }
        progress.finish()
        let learned = LearnedEnsemble(models: folders, of: dataset, evidence: evidence)
        try AtomicFile.write(try learned.encoded(), to: out)
        guard !printing.json else { return print(String(decoding: try learned.encoded(), as: UTF8.self)) }
        var table = TextTable(columns: ["model"] + learned.channels)
        table.numeric = Set(1...learned.channels.count)
        for (folder, weights) in zip(folders, learned.weights) {
            table.rows.append([.init(folder, folder)] + weights.map { .init($0, String(format: "%.3f", $0)) })
        }
        print(table.text)
        let (average, own) = (1 - learned.averageLoss, 1 - learned.learnedLoss)
        print(
            String(format: "\nsoft Dice on %d other cases: average %.4f, ", learned.checkedOn.count, average)
                + (own > average ? String(format: "learned weights %.4f", own) : "no better with weights: it is kept"))
        print(out)
    }

    /// The labeled cases that no model was trained on.
    private func unseenCases(of dataset: NNUNetDataset, _ folders: [String]) throws -> [DatasetCase] {
        var seen: Set<String> = []
        for folder in folders {
            guard let setup = try FinetuneSetup(ofRun: folder) else {
                throw SegmentationError.notAModel(path: folder, reason: "it does not tell what it was trained on")
            }
            seen.formUnion(setup.trainingCases)
        }
        let unseen = dataset.trainingCases.filter { !seen.contains($0.name) }
        guard unseen.count >= 2 else {
            throw ValidationError(
                "\(unseen.count) labeled cases are left that no model was trained on, two are needed: "
                    + "train the models with the same --fold.")
        }
        return unseen
    }
}
