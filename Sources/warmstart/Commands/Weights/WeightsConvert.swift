import ArgumentParser
import WeightFiles

struct WeightsConvert: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert",
        abstract: "Rewrite weights as safetensors under this suite's names.",
        discussion: """
            The card with patch, spacing and normalization is kept where the file has one. What is no part of the \
            network (optimizers, projection heads, duplicates) is left behind and reported.

            Examples:
              warmstart weights convert checkpoint_final.pth weights.safetensors
              warmstart weights convert resnet50.pth resnet50-3d.safetensors --inflate
            """)

    @Argument(help: "A file of weights, or the folder of a run.")
    var input: WeightsSource

    @Argument(help: "The safetensors file to write.")
    var output: String

    @Flag(help: "Inflate a 2D ResNet to 3D, under MedicalNet's names.")
    var inflate = false

    @OptionGroup var printing: PrintOptions

    func run() throws {
        var file = try input.read()
        if inflate { file = try file.inflated() }
        var metadata = file.weights.metadata
        metadata["format"] = "pt"
        metadata["layout"] = file.layout.rawValue
        try SafetensorsFile.write(file.weights.canonicalTensors, metadata: metadata, to: output)
        var facts = file.facts(listingTensors: false)
        facts.add("written", output)
        try facts.print(json: printing.json)
    }
}
