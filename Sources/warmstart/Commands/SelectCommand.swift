import ArgumentParser
import Finetuning
import Foundation
import Segmentation
import Training
import Volumes

extension ActiveSelection.Strategy: ExpressibleByArgument {}

struct SelectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "select",
        abstract: "Rank images without labels by what a label of each would teach.",
        discussion: """
            Predicts every image with trained networks and puts those first of which the networks know least. Images that \
            a network was trained on are left out. Label the first ones, train again, select again.

            Examples:
              warmstart select --model run0 run1 --input IMAGES --count 10
              warmstart select --model run0 --strategy gradient --diverse --input IMAGES --count 10 --json
            """)

    @Option(parsing: .upToNextOption, help: "The folders of fine-tuning runs, such as the folds of one recipe.")
    var model: [ExistingPath]

    @Option(help: "A folder of images: NAME_0000.nii.gz for the first channel, NAME_0001.nii.gz for the next.")
    var input: ExistingPath

    @Option(help: "How many cases you can label.")
    var count: Int

    @Option(
        help: """
            What makes an image interesting: entropy of the prediction; mutual-information, the part of it that comes from \
            disagreement; disagreement of the models' labels; gradient of the last layer; random, the baseline.
            """)
    var strategy = ActiveSelection.Strategy.entropy

    @Flag(help: "Choose images that differ from each other among the five times as many best ones.")
    var diverse = false

    @OptionGroup var seed: SeedOptions
    @OptionGroup var compute: ComputeOptions
    @OptionGroup var printing: PrintOptions

    func validate() throws {
        guard count >= 1 else { throw ValidationError("--count must be at least 1, got \(count).") }
    }

    /// A line of the ranking.
    private struct Line: Encodable {
        var rank: Int
        var name: String
        var selected: Bool
        var score, entropy, mutualInformation, disagreement, gradient: Double
    }

    func run() throws {
        let folders = try model.map { try $0.requiredFolder() }
        let ensemble = try Ensemble(ofRuns: folders, on: compute.cpu)
        try ensemble.requireWholeImages()
        guard ensemble.predictions > 1 || ![.mutualInformation, .disagreement].contains(strategy) else {
            throw ValidationError(
                "--strategy \(strategy.rawValue) compares predictions, and one model without mirroring gives one: "
                    + "name several models, or use entropy or gradient.")
        }
        let known = Set(try folders.flatMap { try FinetuneSetup(ofRun: $0)?.trainingCases ?? [] })
        let images = try ChannelFiles.cases(in: input.requiredFolder(), channels: ensemble.channelNames.count)
        let pool = images.filter { !known.contains($0.name) }
        guard !pool.isEmpty else {
            throw ValidationError("The models were trained on every image of \(input.path): nothing is left to label.")
        }
        if pool.count < images.count {
            StandardError.write("\(images.count - pool.count) of \(images.count) images were trained on; left out\n")
        }
        let progress = CaseProgress("looking at", total: pool.count)
        let cases = try pool.map { image in
            let volume = try image.readImage(channelNames: ensemble.channelNames)
            let interest = try ensemble.interest(in: volume, named: image.name)
            progress.advance(note: image.name)
            return interest
        }
        progress.finish()
        let selection = ActiveSelection(strategy, count: count, isDiverse: diverse, seed: seed.seed)
        try show(
            selection.ranked(cases).enumerated().map { index, item in
                Line(
                    rank: index + 1, name: item.name, selected: index < count, score: selection.score(item),
                    entropy: item.entropy, mutualInformation: item.mutualInformation, disagreement: item.disagreement,
                    gradient: item.gradient)
            })
    }

    private func show(_ lines: [Line]) throws {
        if printing.json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            return print(String(decoding: try encoder.encode(lines), as: UTF8.self))
        }
        var table = TextTable(columns: [
            "rank", "case", "entropy", "mutual information", "disagreement", "gradient", "label it",
        ])
        table.numeric = [0, 2, 3, 4, 5]
        for line in lines {
            let scores = [line.entropy, line.mutualInformation, line.disagreement, line.gradient]
            var row: [TextTable.Cell] = [.init(line.rank), .init(line.name, line.name)]
            row += scores.map { .init($0, String(format: "%.4g", $0)) }
            table.rows.append(row + [.init(line.selected, line.selected ? "yes" : "")])
        }
        print(table.text)
    }
}
