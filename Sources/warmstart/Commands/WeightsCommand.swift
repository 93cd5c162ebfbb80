import ArgumentParser
import Foundation
import Training
import WeightFiles

struct WeightsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "weights",
        abstract: "List and show weights.",
        subcommands: [WeightsList.self, WeightsShow.self])
}

struct WeightsList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the weights files of a folder.",
        discussion: """
            Example:
              warmstart weights list Weights
            """)

    @Argument(help: "The folder.")
    var folder = ExistingPath(argument: "Weights")

    @OptionGroup var printing: PrintOptions

    func run() throws {
        let folder = try folder.requiredFolder()
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: folder)
        } catch {
            throw FileError("read", folder, error)
        }
        var table = TextTable(columns: ["file", "method", "parameters", "patch"], numeric: [2])
        for name in names.filter({ $0.hasSuffix(".safetensors") }).sorted() {
            let file = try SafetensorsFile.read("\(folder)/\(name)")
            let card = TransferCard(metadata: file.metadata)
            table.rows.append([
                "\(name)", "\(card?.method ?? "unknown")",
                TextTable.Cell(file.tensors.values.reduce(0) { $0 + $1.count }),
                card.map { TextTable.Cell($0.patch.dimensions, "\($0.patch)") } ?? "",
            ])
        }
        var facts = Facts()
        facts.add("folder", folder)
        facts.add("files", table.rows.count)
        if !table.rows.isEmpty { facts.add("weights", table) }
        try facts.print(json: printing.json)
    }
}

struct WeightsShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show what a weights file contains.",
        discussion: """
            Example:
              warmstart weights show RUN/weights.safetensors --tensors
            """)

    @Argument(help: "A .safetensors file.")
    var file: ExistingPath

    @Flag(help: "List every tensor.")
    var tensors = false

    @OptionGroup var printing: PrintOptions

    func run() throws {
        try SafetensorsFile.read(file.required()).facts(listingTensors: tensors).print(json: printing.json)
    }
}
