import ArgumentParser
import Foundation
import WeightFiles

struct WeightsList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the weights files of a folder, by default those that come with the suite.",
        discussion: """
            Files that the folder's index.json names are compared with their SHA-256 checksum, and --init takes them by name.

            Example:
              warmstart weights list
            """)

    @Argument(help: "The folder (default: the suite's Weights).")
    var folder: ExistingPath?

    @OptionGroup var printing: PrintOptions

    func run() throws {
        let folder =
            try folder?.requiredFolder() ?? WeightsFolder.find()?.path
            ?? ExistingPath(argument: "Weights").requiredFolder()
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: folder)
        } catch {
            throw FileError("read", folder, error)
        }
        let index = try WeightsIndex(ofFolder: folder)
        var table = TextTable(
            columns: ["name", "file", "method", "network", "parameters", "patch", "licence", "checksum", "data"],
            numeric: [4])
        for name in names.filter({ $0.hasSuffix(".safetensors") }).sorted() {
            let path = "\(folder)/\(name)"
            let file = try SafetensorsFile.read(path)
            let card = TransferCard(metadata: file.metadata)
            let entry = index.weights.first { $0.file == name }
            let isIntact = try entry.map { try SHA256.ofFile(path) == $0.sha256 }
            table.rows.append([
                "\(entry?.name ?? "")", "\(name)", "\(card?.method ?? "unknown")",
                "\(card.map { $0.architecture.encoderTitle } ?? "unknown")",
                TextTable.Cell(file.tensors.values.reduce(0) { $0 + $1.count }),
                card.map { TextTable.Cell($0.patch.dimensions, "\($0.patch)") } ?? "", "\(entry?.licence ?? "")",
                "\(isIntact.map { $0 ? "ok" : "WRONG" } ?? "")", "\(entry?.data ?? "")",
            ])
        }
        var facts = Facts()
        facts.add("folder", folder)
        facts.add("files", table.rows.count)
        if let lost = index.weights.first(where: { !names.contains($0.file) }) { facts.add("missing", lost.file) }
        if !table.rows.isEmpty { facts.add("weights", table) }
        try facts.print(json: printing.json)
    }
}
