import Networks
import Tensors
import Training

/// An encoder whose bottleneck, decoded without skip connections, must restore the image at several scales, and whose views
/// must predict each other's vectors.
///
/// Parts: `encoder`, `restorer`, `scales.I`.
public struct ScalePreservation: PretextLearner {
    /// What is pre-trained.
    public let encoder: ResEncEncoder
    /// From the bottleneck to maps of all scales and the image.
    public let decoder: SkiplessDecoder
    /// What is asked of the maps, coarsest first.
    public let heads: [ScaleHead]
    private let cpu: CPU

    private typealias Vectors = (vector: Tensor, prediction: Tensor)

    /// A learner for the encoder of a network of at least three stages.
    public init(_ plan: NetworkPlan, on cpu: CPU) {
        check(plan.stages >= 3, "a decoder needs a level between bottleneck and full resolution")
        encoder = ResEncEncoder(plan, on: cpu)
        decoder = SkiplessDecoder(plan, on: cpu)
        heads = plan.features[1..<plan.stages - 1].reversed().map { ScaleHead(channels: $0, on: cpu) }
        self.cpu = cpu
    }

    /// Encoder, decoder and heads.
    public var members: [Member] {
        [.module("encoder", encoder), .module("restorer", decoder)] + Member.modules("scales", heads)
    }

    /// The encoder.
    public var result: any Module { EncoderOnly(encoder) }

    /// Squared errors of the image and of one coarser image, plus the disagreement of the large views and of each large with
    /// each small view, each at one scale.
    public func loss(_ batch: ScaleViews.Batch, in phase: Phase) -> StepLoss {
        let target = batch.target.input(on: cpu)
        let (first, second) = (maps(of: batch.globals[0], in: phase), maps(of: batch.globals[1], in: phase))
        let locals = maps(of: PatchBatch.joined(batch.locals), in: phase)
        let scales = batch.choices.map { Int($0 * Double(heads.count)) }

        let restored = squaredError(decoder.image(of: first[first.count - 1], in: phase), target: target)
        let scale = scales[scales.count - 1]
        let coarse = squaredError(
            heads[scale].image(of: first[scale], extent: batch.target.extent, in: phase), target: target)

        func vectors(_ map: Tensor, _ scale: Int) -> Vectors { heads[scale].vectors(of: map, in: phase) }
        var contrast = disagreement(vectors(first[scales[0]], scales[0]), vectors(second[scales[0]], scales[0]))
        for (index, view) in batch.locals.enumerated() {
            let samples = index * view.samples..<(index + 1) * view.samples
            for (large, scale) in zip([first, second], scales[(1 + 2 * index)...]) {
                let small = slice(locals[scale], axis: 0, samples)
                contrast = add(contrast, disagreement(vectors(large[scale], scale), vectors(small, scale)))
            }
        }
        return StepLoss(
            total: add(add(restored, coarse), contrast),
            parts: [
                "restoration": Double(restored.item), "coarse restoration": Double(coarse.item),
                "contrast": Double(contrast.item),
            ], cases: batch.target.names)
    }

    /// A changed large view, what it was, and it restored.
    public func previews(of batch: ScaleViews.Batch) -> [Preview] {
        let maps = maps(of: batch.globals[0], in: .inference)
        let restored = decoder.image(of: maps[maps.count - 1], in: .inference).channelsFirst
        return batch.target.names.enumerated().map { sample, name in
            let painter = SlicePainter(batch.target.extent, showing: batch.target.patch(sample).image)
            return Preview(
                title: "\(name): changed, original, restored without skip connections (slice \(painter.slice))",
                images: [batch.globals[0].voxels, batch.target.voxels, restored].map {
                    painter.picture($0, sample: sample)
                })
        }
    }

    private func maps(of views: PatchBatch, in phase: Phase) -> [Tensor] {
        let maps = encoder(views.input(on: cpu), in: phase)
        return decoder.middles(of: maps[maps.count - 1], in: phase)
    }
}
