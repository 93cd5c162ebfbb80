import Networks
import Tensors
import Training

/// An encoder with a branch for each domain: a 1x1x1 convolution of the coarsest map to the domain's classes, enlarged with
/// straight lines to the size of the patch. A patch trains the encoder and the branch of its own domain only.
///
/// Parts: `encoder`, `branches.I`. Branches are dropped afterwards.
public struct DomainBranches: PretextLearner {
    /// What is pre-trained.
    public let encoder: any UNetEncoder
    /// One for each domain.
    public let branches: [Conv3D]
    private let domains: [LabeledDomain]
    private let cpu: CPU

    /// A learner for an encoder whose coarsest map has `channels` channels.
    public init(_ encoder: any UNetEncoder, channels: Int, domains: [LabeledDomain], on cpu: CPU) {
        check(!domains.isEmpty, "branches want at least one labeled dataset")
        (self.encoder, self.domains, self.cpu) = (encoder, domains, cpu)
        branches = domains.map { Conv3D(inputChannels: channels, outputChannels: $0.classes, kernel: 1, on: cpu) }
    }

    /// `encoder` and `branches.0`, ...
    public var members: [Member] { [.module("encoder", encoder)] + Member.modules("branches", branches) }

    /// The encoder.
    public var result: any Module { EncoderOnly(encoder) }

    /// Nothing: the loss is the mean over patches.
    public var undividedBecause: String? { nil }

    /// The mean over patches of the cross-entropy of their own branch. Voxels beyond an image are background.
    public func loss(_ batch: PatchBatch, in phase: Phase) -> StepLoss {
        let losses = logits(of: batch, in: phase).enumerated().map { sample, logits in
            crossEntropy(
                logits, labels: labels(of: batch, sample: sample),
                ignoring: domains[batch.domains[sample]].ignoredLabel.map(Int32.init))
        }
        return StepLoss(
            total: scale(losses.dropFirst().reduce(losses[0], add), by: 1 / Float(losses.count)), cases: batch.names)
    }

    /// Slices, their labels, and the labels that the patch's branch tells.
    public func previews(of batch: PatchBatch) -> [Preview] {
        zip(batch.names, logits(of: batch, in: .inference)).enumerated().map { sample, content in
            let domain = domains[batch.domains[sample]]
            let image = SlicePainter(batch.extent, showing: batch.patch(sample).image)
            let classes = SlicePainter(batch.extent, range: 0...Float(max(1, domain.classes - 1)))
            return Preview(
                title: "\(content.0) of \(domain.name): image, labels, labels as told (slice \(image.slice))",
                images: [
                    image.picture(batch.voxels, sample: sample),
                    classes.picture(labels(of: batch, sample: sample).labels.map(Float.init)),
                    classes.picture(content.1.largestChannels.map(Float.init)),
                ])
        }
    }

    private func logits(of batch: PatchBatch, in phase: Phase) -> [Tensor] {
        let maps = encoder(batch.input(on: cpu), in: phase)
        return (0..<batch.samples).map { sample in
            let map = slice(maps[maps.count - 1], axis: 0, sample..<sample + 1)
            let coarse = branches[batch.domains[sample]](map, in: phase)
            return upsample(coarse, to: batch.extent, mode: .trilinear(alignCorners: false))
        }
    }

    private func labels(of batch: PatchBatch, sample: Int) -> LabelMap {
        let volume = batch.extent.volume
        let labels = batch.labels?[sample * volume..<(sample + 1) * volume].map { Int32(max(0, $0)) }
        return LabelMap(
            samples: 1, extent: batch.extent, labels: labels ?? [Int32](repeating: 0, count: volume))
    }
}
