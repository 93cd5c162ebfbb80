import ArgumentParser
import Foundation
import Segmentation
import WeightFiles

extension CheckpointExport.Format: ExpressibleByArgument {}

struct WeightsExport: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write weights so that nnU-Net or nnssl's fine-tuning trainers load them.",
        discussion: """
            Examples:
              warmstart weights export runs/s3d pretrained.pth --to nnunet
              nnUNetv2_train 1 3d_fullres 0 -pretrained_weights pretrained.pth
            """)

    @Argument(help: "A file of weights, or the folder of a run.")
    var input: WeightsSource

    @Argument(help: "The file to write.")
    var output: String

    @Option(name: .customLong("to"), help: "For whom.")
    var format: CheckpointExport.Format

    @OptionGroup var printing: PrintOptions

    func run() throws {
        let file = try input.read()
        var export = try CheckpointExport(file)
        if let run = input.run, FileManager.default.fileExists(atPath: "\(run)/\(SegmentationModelCard.fileName)") {
            export.mirroredAxes = try SegmentationModelCard(ofRun: run).window.mirroredAxes
        }
        try export.write(format, to: output)
        var facts = Facts()
        facts.add("content", "\(format.rawValue) weights")
        facts.add("weights", export.tensors.count)
        facts.add("written", output)
        try facts.print(json: printing.json)
    }
}
