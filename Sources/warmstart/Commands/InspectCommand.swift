import ArgumentParser
import Experiments
import Foundation
import Tensors
import Volumes
import WeightFiles

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Tell what a volume, dataset, plan, store, run or weights file contains.",
        discussion: """
            Examples:
              warmstart inspect scan.nii.gz
              warmstart inspect DATASET --json
              warmstart inspect RUN --verify
            """)

    @Argument(help: "A file or folder.")
    var path: ExistingPath

    @Flag(help: "Read everything in a run, store, comparison or file, and compare it with its checksums.")
    var verify = false

    @OptionGroup var printing: PrintOptions

    func run() throws {
        let path = try path.required()
        var facts = try facts(of: path)
        if verify { facts.add("intact", try Verification(of: path).intact) }
        try facts.print(json: printing.json)
    }

    private func facts(of path: String) throws -> Facts {
        func holds(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(path)/\(name)") }
        var isFolder: ObjCBool = false
        _ = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        if isFolder.boolValue {
            if holds("dataset.json") {
                let isClassified = holds("classes.csv") && !holds("labelsTr")
                return try (isClassified ? NNUNetDataset(classifying: path) : NNUNetDataset(path: path)).facts
            }
            if holds("zarr.json") { return try PreprocessedStore(opening: path).facts }
            if holds("comparison.json") { return try ComparisonResults(contentsOf: "\(path)/comparison.json").facts }
            if holds("cells") {
                var facts = Facts()
                facts.add("content", "comparison")
                facts.add("finished", 0, text: "no training run yet")
                return facts
            }
            if holds("recipe.yaml") { return try RunFolder(path: path).facts }
            return try ImageFolder(path: path).facts
        }
        let name = path.lowercased()
        if NIfTIFile.suffixes.contains(where: name.hasSuffix) { return try NIfTIFile.read(path).facts }
        if [".safetensors", ".pth", ".pt", ".pth.tar"].contains(where: name.hasSuffix) {
            return try WeightsFile.read(path).facts(listingTensors: false)
        }
        if name.hasSuffix(".json") { return try Plan(contentsOf: path).facts }
        throw UnknownContent(path: path)
    }
}

/// A file of which the tool knows nothing.
struct UnknownContent: UserFacingError {
    let path: String
    var exitCode: Int32 { ExitStatus.badData }
    var description: String {
        "\(path) is no volume (.nii, .nii.gz, .hdr), weights file (.safetensors, .pth, .pt) or plan (.json), "
            + "and no folder of any."
    }
}
