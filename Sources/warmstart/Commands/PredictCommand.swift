import ArgumentParser
import Foundation
import Segmentation
import Training
import Volumes

struct PredictCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict",
        abstract: "Segment images with one trained network, or the average of several.",
        discussion: """
            Every result has the grid and the header of its image. Images that have a result already are left alone, so \
            that an interrupted prediction goes on where it stopped.

            Examples:
              warmstart predict --model run0 run1 run2 --input IMAGES --out PREDICTIONS
              warmstart predict --model small-patch large-patch --combine vote --input IMAGES --out PREDICTIONS
            """)

    @Option(parsing: .upToNextOption, help: "The folders of fine-tuning runs; several are averaged.")
    var model: [ExistingPath]

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

    @OptionGroup var sharding: ShardOptions
    @OptionGroup var compute: ComputeOptions

    enum Combination: String, ExpressibleByArgument, CaseIterable {
        case logits, probabilities, vote
    }

    func run() throws {
        let segmenter = try segmenter()
        let images = sharding.part.part(
            of: try ChannelFiles.cases(in: input.requiredFolder(), channels: segmenter.channelNames.count))
        try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
        let kept = images.count { FileManager.default.fileExists(atPath: "\(out)/\($0.name).nii.gz") }
        if kept > 0 {
            FileHandle.standardError.write(
                Data("\(kept) of \(images.count) images have a result in \(out); it is kept\n".utf8))
        }
        var progress = Training.Progress("predicting", total: images.count, unit: "case")
        try Interruption.bySignals { interruption in
            for (index, image) in images.enumerated() {
                let file = "\(out)/\(image.name).nii.gz"
                if !FileManager.default.fileExists(atPath: file) {
                    try segmenter.segment(image, to: file) { _, _ in
                        if interruption.isRequested { throw PredictionInterrupted(folder: out) }
                    }
                }
                progress.advance(to: index + 1, note: image.name)
            }
        }
        progress.finish()
        print(out)
    }

    /// The models, as one.
    private func segmenter() throws -> any ImageSegmenter {
        func ensemble(_ folders: [String]) throws -> Ensemble {
            var ensemble = try Ensemble(ofRuns: folders, on: compute.cpu)
            if withoutMirroring { (ensemble.window.mirroredAxes, ensemble.window.views) = ([], nil) }
            return ensemble
        }
        let folders = try model.map { try $0.requiredFolder() }
        switch combine {
        case .logits: return try ensemble(folders)
        case .probabilities, .vote:
            return try ModelMixture(
                folders.map { try ensemble([$0]) }, rule: combine == .vote ? .vote : .averageProbabilities,
                on: compute.cpu)
        }
    }
}
