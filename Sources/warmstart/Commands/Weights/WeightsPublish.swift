import ArgumentParser
import Foundation
import Training
import WeightFiles

struct WeightsPublish: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "publish",
        abstract: "Add the weights of a run to a folder of weights, with a model card and a checksum.",
        discussion: """
            Example:
              warmstart weights publish runs/s3d --name s3d-phantoms --data "64 phantoms of heads, made up" \\
                --use "trying the suite; no real image was seen" --licence CC0-1.0 \\
                --part encoder --rounded
            """)

    @Argument(help: "The folder of a run, or a file with a transfer card.")
    var input: WeightsSource

    @Option(help: "The name of the files.")
    var name: String

    @Option(help: "On which images the weights were trained.")
    var data: String

    @Option(name: .customLong("use"), help: "What they are good for, and what not.")
    var intendedUse: String

    @Option(help: "The licence, as an SPDX identifier.")
    var licence: String

    @Option(
        name: .customLong("part"), parsing: .singleValue,
        help: "A module to publish, such as encoder (default: all that others can use).")
    var parts: [String] = []

    @Flag(help: "Round kernels to bfloat16: half the size.")
    var rounded = false

    @Option(
        name: .customLong("command"), parsing: .singleValue,
        help: "A command that makes the weights again, for the card.")
    var commands: [String] = []

    @Option(help: "The folder of weights.")
    var into = ExistingPath(argument: "Weights")

    @OptionGroup var printing: PrintOptions

    func run() throws {
        let folder = try into.requiredFolder()
        let recipeFile = input.run.map { "\($0)/recipe.yaml" }.flatMap {
            FileManager.default.fileExists(atPath: $0) ? $0 : nil
        }
        var publication = Publication(
            name: name, data: data, intendedUse: intendedUse, licence: licence,
            recipe: try recipeFile.map { try RecipeDocument.load($0).asWritten.withoutFolders.yaml })
        publication.parts = parts.isEmpty ? nil : parts
        (publication.rounds, publication.commands) = (rounded, commands)
        publication.arithmetic = input.run.flatMap(RunDirectory.arithmetic(ofRun:))
        let entry = try publication.write(input.read(), into: folder)
        var facts = Facts()
        facts.add("written", "\(folder)/\(entry.file)")
        facts.add("parameters", entry.parameters)
        facts.add("sha256", entry.sha256)
        try facts.print(json: printing.json)
    }
}
