import ArgumentParser
import Evaluation
import Foundation
import Ranks
import Segmentation
import Training
import Volumes
import WeightFiles

struct PredictCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict",
        abstract: "Segment or classify images with one trained network, or the average of several.",
        discussion: """
            Every result has the grid and the header of its image. Images that have a result already are left alone, so \
            that an interrupted prediction goes on where it stopped. Models that classify give one table, \
            class-probabilities.csv.

            Examples:
              warmstart predict --model run0 run1 run2 --input IMAGES --out PREDICTIONS
              warmstart predict --model small-patch large-patch --combine vote --input IMAGES --out PREDICTIONS
              warmstart predict --model run0 run1 --uncertainty MAPS --input IMAGES --out PREDICTIONS
              warmstart predict --coarse coarse-run --model fine-run --input IMAGES --out PREDICTIONS
            """)

    @Option(parsing: .upToNextOption, help: "The folders of fine-tuning runs; several are averaged.")
    var model: [ExistingPath] = []

    @Option(
        parsing: .upToNextOption,
        help:
            "The folders of runs that find the region in which --model looks, which was trained with region.margin_mm.")
    var coarse: [ExistingPath] = []

    @Option(help: "A file of warmstart ensemble in place of --model: its models with their learned weights.")
    var ensemble: ExistingPath?

    @Option(help: "A folder of images: NAME_0000.nii.gz for the first channel, NAME_0001.nii.gz for the next.")
    var input: ExistingPath

    @Option(help: "The folder for the results, NAME.nii.gz.")
    var out: String

    @Flag(help: "Do not average over mirrored images: faster, a little less accurate.")
    var withoutMirroring = false

    @Option(
        help: """
            How several models decide: mean of logits (folds of one plan), mean of probabilities (of any plans), or vote.
            """)
    var combine = Combination.logits

    @Option(
        help: """
            A folder for maps of how far models and mirrored views agree, NAME_variance.nii.gz, NAME_entropy.nii.gz and \
            NAME_mutual_information.nii.gz, on the image's grid.
            """)
    var uncertainty: String?

    @OptionGroup var sharding: ShardOptions
    @OptionGroup var compute: ComputeOptions

    func validate() throws {
        guard model.isEmpty == (ensemble != nil) else {
            throw ValidationError("Give either --model or --ensemble.")
        }
        guard ensemble == nil || combine == .logits else {
            throw ValidationError("--combine does not go with --ensemble, whose file says how its models decide.")
        }
        guard coarse.isEmpty || ensemble == nil && combine == .logits else {
            throw ValidationError("--coarse does not go with --ensemble or --combine.")
        }
    }

    enum Combination: String, ExpressibleByArgument, CaseIterable {
        case logits, probabilities, vote
    }

    func run() throws {
        if let first = model.first, try SegmentationModelCard(ofRun: first.requiredFolder()).classifies {
            return try classify()
        }
        let segmenter = try segmenter()
        let images = sharding.part.part(
            of: try ChannelFiles.cases(in: input.requiredFolder(), channels: segmenter.channelNames.count))
        let locks = try [out, uncertainty].compactMap(\.self).distinctFolders.map { folder in
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let lock = try FolderLock(folder, part: sharding.part.lockName)
            if sharding.part == .whole { AtomicFile.removeTemporaries(in: folder) }
            return lock
        }
        defer { withExtendedLifetime(locks) {} }
        let kept = images.count { FileManager.default.fileExists(atPath: "\(out)/\($0.name).nii.gz") }
        if kept > 0 {
            StandardError.write("\(kept) of \(images.count) images have a result in \(out); it is kept\n")
        }
        var progress = Training.Progress("predicting", total: images.count, unit: "case")
        try Interruption.bySignals { interruption in
            for (index, image) in images.enumerated() {
                let file = "\(out)/\(image.name).nii.gz"
                if !FileManager.default.fileExists(atPath: file) {
                    try predict(image, by: segmenter, to: file) {
                        if interruption.isRequested { throw PredictionInterrupted(folder: out) }
                    }
                }
                progress.advance(to: index + 1, note: image.name)
            }
        }
        progress.finish()
        print(out)
    }

    /// Classifies all images into one table.
    private func classify() throws {
        guard combine == .logits, uncertainty == nil, coarse.isEmpty, sharding.part == .whole else {
            throw ValidationError("--coarse, --combine, --uncertainty and --shard are for models that segment.")
        }
        var classifier = try Classifier(ofRuns: model.map { try $0.requiredFolder() }, on: compute.cpu)
        if withoutMirroring { classifier.mirroredAxes = [] }
        let files = try ChannelFiles.cases(in: input.requiredFolder(), channels: classifier.channelNames.count)
        try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
        let lock = try FolderLock(out)
        defer { withExtendedLifetime(lock) {} }
        var table = ClassTable(classes: classifier.classes, images: [])
        var progress = Training.Progress("classifying", total: files.count, unit: "case")
        try Interruption.bySignals { interruption in
            for image in files {
                if interruption.isRequested { throw PredictionInterrupted(folder: out, keepsResults: false) }
                let volume = try image.readImage(channelNames: classifier.channelNames)
                table.images.append(
                    ClassifiedImage(name: image.name, probabilities: try classifier.probabilities(of: volume)))
                progress.advance(to: table.images.count, note: image.name)
            }
        }
        progress.finish()
        try table.write(to: "\(out)/\(ClassTable.fileName)")
        print("\(out)/\(ClassTable.fileName)")
    }

    /// Segments one image; the labels are written last, so that an image that has them has its maps.
    private func predict(
        _ image: DatasetCase, by segmenter: any ImageSegmenter, to file: String, pause: () throws -> Void
    ) throws {
        guard let uncertainty else { return try segmenter.segment(image, to: file) { _, _ in try pause() } }
        let volume = try image.readImage(channelNames: segmenter.channelNames)
        let result = try segmenter.segmentWithUncertainty(volume) { _, _ in try pause() }
        try result.write(named: image.name, to: uncertainty)
        try NIfTIFile.write(result.labels, to: file)
    }

    /// The models, as one.
    private func segmenter() throws -> any ImageSegmenter {
        if let ensemble {
            let learned = try LearnedEnsemble(contentsOf: ensemble.required())
            let members = try learned.models.map { try opened([ExistingPath(argument: $0).requiredFolder()]) }
            return try ModelMixture(
                members, rule: .weighted(EnsembleWeights(learned.weights)), on: compute.cpu)
        }
        let folders = try model.map { try $0.requiredFolder() }
        if !coarse.isEmpty {
            var both = try TwoStageSegmenter(
                coarse: opened(coarse.map { try $0.requiredFolder() }), fine: opened(folders, areShownRegions: true))
            both.foundNothing = {
                StandardError.write("the coarse model found nothing in an image: all of it is looked at\n")
            }
            return both
        }
        switch combine {
        case .logits: return try opened(folders)
        case .probabilities, .vote:
            return try ModelMixture(
                folders.map { try opened([$0]) }, rule: combine == .vote ? .vote : .averageProbabilities,
                on: compute.cpu)
        }
    }

    /// - Parameter areShownRegions: whether another model finds the regions that some models need.
    private func opened(_ folders: [String], areShownRegions: Bool = false) throws -> Ensemble {
        var ensemble = try Ensemble(ofRuns: folders, on: compute.cpu)
        if !areShownRegions { try ensemble.requireWholeImages() }
        if withoutMirroring { (ensemble.window.mirroredAxes, ensemble.window.views) = ([], nil) }
        return ensemble
    }
}

extension [String] {
    /// Each folder once, whatever it is called: maps may lie beside the labels.
    fileprivate var distinctFolders: [String] {
        func place(_ path: String) -> String { URL(filePath: path).resolvingSymlinksInPath().standardizedFileURL.path }
        return enumerated().filter { index, path in !prefix(index).map(place).contains(place(path)) }.map(\.element)
    }
}
