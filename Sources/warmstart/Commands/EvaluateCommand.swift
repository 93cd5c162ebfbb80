import ArgumentParser
import Evaluation
import Foundation
import Training
import Volumes
import WeightFiles

/// What counts as a surface, in the words of the command line.
enum SurfaceChoice: String, CaseIterable, ExpressibleByArgument {
    case elements, voxels, both, none

    var definitions: [SurfaceDefinition] {
        switch self {
        case .elements: [.elements]
        case .voxels: [.boundaryVoxels]
        case .both: SurfaceDefinition.allCases
        case .none: []
        }
    }
}

struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Compare predicted label maps with references.",
        discussion: """
            Files belong together by name. Every reference needs a prediction on the same grid. Classes are named by the \
            dataset.json beside the references, if there is one. The result has the keys of nnU-Net's summary.json.

            Distances are in millimetres, between surface elements weighted by area (as in DeepMind's surface-distance) or \
            between boundary voxels (as in MedPy and MONAI); the two differ. A class that only one of both masks has is \
            infinitely far away, and counts as the image's diagonal in means.

            Example:
              warmstart evaluate --predictions PREDICTIONS --references DATASET/labelsTr --tolerance 1 2
            """)

    @Option(help: "The folder of predicted label maps.")
    var predictions: ExistingPath

    @Option(help: "The folder of reference label maps, or a dataset in nnU-Net's raw layout.")
    var references: ExistingPath

    @Option(help: "Where the result is written (default: summary.json beside the predictions).")
    var out: String?

    @Option(help: "Voxels with this label in the reference are not counted.")
    var ignoreLabel: Int?

    @Flag(help: "Leave out references without a prediction.")
    var onlyPredicted = false

    @Flag(help: "Count a class that both masks lack as a Dice of 1, instead of leaving the case out.")
    var bothEmptyPerfect = false

    @Option(help: "What counts as a surface, or none for overlap only.")
    var surface = SurfaceChoice.elements

    @Option(
        name: .customLong("tolerance"), parsing: .upToNextOption,
        help: ArgumentHelp("Distances within which surfaces agree (surface Dice, NSD; default: 1 2).", valueName: "mm"))
    var tolerances: [Double] = []

    @Option(
        name: .customLong("region"), parsing: .singleValue,
        help: ArgumentHelp("Labels to evaluate together as well, such as tumor=1+2+3.", valueName: "name=labels"))
    var regions: [String] = []

    @OptionGroup var compute: ComputeOptions
    @OptionGroup var printing: PrintOptions

    func validate() throws {
        for tolerance in tolerances where !(tolerance >= 0 && tolerance.isFinite) {
            throw ValidationError("--tolerance wants millimetres, 0 or more, got \(tolerance).")
        }
        _ = try regions.map(region)
    }

    func run() throws {
        let predictionFolder = try predictions.requiredFolder()
        let (referenceFolder, dataset) = try referencesAndDataset()
        var evaluation = FolderEvaluation(predictions: predictionFolder, references: referenceFolder)
        if let dataset {
            evaluation.structures = dataset.structures
            evaluation.knownLabels = Set(dataset.classes.map { Int($0.label) })
        }
        evaluation.ignoredLabel = ignoreLabel ?? dataset?.ignoreLabel.map(Int.init)
        evaluation.onlyPredicted = onlyPredicted
        evaluation.bothEmpty = bothEmptyPerfect ? .perfect : .leftOut
        evaluation.regions = try regions.map(region)
        evaluation.surface = SurfaceSelection(
            definitions: surface.definitions, tolerancesMM: tolerances.isEmpty ? [1, 2] : Set(tolerances).sorted())

        let scores = try evaluation.evaluate(on: compute.cpu)
        let file = out ?? "\(predictionFolder)/summary.json"
        try AtomicFile.write(try SummaryFile(scores).encoded(), to: file)
        try ScoreTable(scores).print(json: printing.json)
        if !printing.json { print("\ncases: \(scores.cases.count); every metric of each is in \(file)") }
    }

    private func region(_ text: String) throws -> Structure {
        let parts = text.split(separator: "=", maxSplits: 1)
        let labels = parts.last?.split(separator: "+").map { Int($0) } ?? []
        guard parts.count == 2, !labels.isEmpty, !labels.contains(nil) else {
            throw ValidationError("--region wants NAME=LABEL+LABEL, got \(text).")
        }
        return Structure(name: String(parts[0]), labels: Set(labels.compactMap(\.self)))
    }

    /// The folder of the references, and the dataset that it belongs to, if it belongs to one.
    private func referencesAndDataset() throws -> (folder: String, dataset: NNUNetDataset?) {
        let folder = try references.requiredFolder()
        func hasDescription(_ path: String) -> Bool {
            FileManager.default.fileExists(atPath: "\(path)/dataset.json")
        }
        if hasDescription(folder), FileManager.default.fileExists(atPath: "\(folder)/labelsTr") {
            return ("\(folder)/labelsTr", try NNUNetDataset(path: folder))
        }
        let parent = URL(filePath: folder).deletingLastPathComponent().path
        guard hasDescription(parent) else { return (folder, nil) }
        do {
            return (folder, try NNUNetDataset(path: parent))
        } catch let error as DatasetError {
            // References may be copied without their images; their labels can be compared all the same.
            StandardError.write("classes keep their numbers: \(error)\n")
            return (folder, nil)
        }
    }
}
