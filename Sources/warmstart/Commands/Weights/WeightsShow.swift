import ArgumentParser
import WeightFiles

struct WeightsShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show what a weights file contains.",
        discussion: """
            Reads safetensors files and PyTorch checkpoints of nnU-Net, nnssl, MedicalNet, Models Genesis, torchvision, \
            timm, SimCLR and MoCo. Nothing in them is executed.

            Examples:
              warmstart weights show RUN/weights.safetensors --tensors
              warmstart weights show checkpoint_final.pth
            """)

    @Argument(help: "A file of weights, or the folder of a run.")
    var file: WeightsSource

    @Flag(help: "List every tensor.")
    var tensors = false

    @OptionGroup var printing: PrintOptions

    func run() throws { try file.read().facts(listingTensors: tensors).print(json: printing.json) }
}
