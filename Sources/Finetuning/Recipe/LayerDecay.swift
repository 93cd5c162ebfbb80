import Networks
import Training

extension Schedule {
    /// The same stages with a learning rate that falls layer by layer from the output to the input: the rate of a layer
    /// is `decay` times that of the next one (layer-wise rate decay, as in fine-tuning of language models).
    ///
    /// A layer is a level of the decoder with its head, a stage of the encoder, or the stem. Rates that stages give
    /// themselves come after and win.
    public func decayed(by decay: Double, along network: UNet) -> Schedule {
        let levels = network.decoder.stages.count
        let layers =
            (0..<levels).reversed().map { level in
                ["seg_layers", "stages", "transpconvs"].map { "decoder.\($0).\(level)" }
            } + (0...levels).reversed().map { ["encoder.stages.\($0)"] } + [["encoder.stem"]]
        var factor = 1.0
        var rates: [ModuleRate] = []
        let names = network.namedParameters.map(\.name)
        for layer in layers {
            // Plain encoders have no stem.
            rates += layer.filter { module in names.contains { $0.hasPrefix("\(module).") } }
                .map { ModuleRate($0, factor: factor) }
            factor *= decay
        }
        var decayed = self
        for index in decayed.stages.indices { decayed.stages[index].rates = rates + decayed.stages[index].rates }
        return decayed
    }
}
