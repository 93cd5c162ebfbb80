import Networks
import Training

extension Schedule {
    /// The same stages with a learning rate that falls layer by layer from the output to the input: the rate of a layer
    /// is `decay` times that of the next one (layer-wise rate decay, as in fine-tuning of language models).
    ///
    /// A layer is a level of the decoder with its head, a stage of the encoder, or the stem. Rates that stages give
    /// themselves come after and win.
    public func decayed(by decay: Double, along network: UNet) -> Schedule {
        let layers =
            network.decoder.layers.reversed().map { $0.map { "decoder.\($0)" } }
            + network.encoder.layers.reversed().map { $0.map { "encoder.\($0)" } }
        var factor = 1.0
        var rates: [ModuleRate] = []
        for layer in layers {
            rates += layer.map { ModuleRate($0, factor: factor) }
            factor *= decay
        }
        var decayed = self
        for index in decayed.stages.indices { decayed.stages[index].rates = rates + decayed.stages[index].rates }
        return decayed
    }
}
