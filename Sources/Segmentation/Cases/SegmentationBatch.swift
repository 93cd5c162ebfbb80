import Augmentation
import Tensors
import Training
import Volumes

/// Patches with labels that go through the network together.
public struct SegmentationBatch: Sendable {
    /// The intensities, `[N, C, D, H, W]`.
    public var images: [Float]
    /// The number of input channels.
    public var channels: Int
    /// The classes, `[N, D, H, W]`; outside of images 0.
    public var labels: LabelMap
    /// The cases that the patches come from, one per sample.
    public var cases: [String]

    /// The input of the network, `[N, D, H, W, C]`.
    public func input(on cpu: CPU) -> Tensor {
        Tensor(
            channelsFirst: images, samples: labels.samples, channels: channels, extent: labels.extent, on: cpu)
    }
}

/// The batches of a training: each a pure function of the step, so that they can be made ahead and made again.
public struct SegmentationBatches: BatchSource {
    /// The cases to draw from, each equally likely.
    public var cases: [LabeledCase]
    /// How patches are cut and augmented.
    public var cutter: PatchCutter
    /// Patches per step.
    public var batchSize: Int
    /// Decides everything that is drawn.
    public var seed: UInt64
    /// Whether structures of other cases are carved into patches; nil: never.
    public var carveMix: CarveMix?

    /// Batches of `batchSize` patches of `cases`.
    /// - Throws: ``SegmentationError/noTrainingCases``.
    public init(of cases: [LabeledCase], cutter: PatchCutter, batchSize: Int, seed: UInt64) throws {
        guard !cases.isEmpty else { throw SegmentationError.noTrainingCases }
        (self.cases, self.cutter, self.batchSize, self.seed) = (cases, cutter, batchSize, seed)
    }

    /// Patches of a step.
    public var samplesPerStep: Int { batchSize }

    /// Some patches of a step.
    /// - Throws: ``StoreError`` if a case of a store cannot be read.
    public func batch(step: Int, samples: Range<Int>) throws -> SegmentationBatch {
        var (images, labels, names, channels): ([Float], [Int32], [String], Int) = ([], [], [], 1)
        for sample in samples {
            let chosen = cases[PatchSampling.image(of: cases.count, seed: seed, step: step, sample: sample)]
            var patch = try patch(of: chosen, seed: seed, step: step, sample: sample)
            if let carveMix { try mix(&patch, carveMix, step: step, sample: sample) }
            patch.treatOutsideAsBackground()
            images += patch.image
            labels += (patch.labels ?? []).map(Int32.init)
            channels = patch.channels
            names.append(chosen.name)
        }
        return SegmentationBatch(
            images: images, channels: channels,
            labels: LabelMap(samples: samples.count, extent: cutter.sampling.patch, labels: labels), cases: names)
    }

    private func patch(of item: LabeledCase, seed: UInt64, step: Int, sample: Int) throws -> Patch {
        try cutter.patch(
            from: item.source, foreground: item.foreground, seed: seed, step: step, sample: sample, batch: batchSize)
    }

    /// Carves the structures of a patch of any case into this one, as drawn.
    private func mix(_ patch: inout Patch, _ carveMix: CarveMix, step: Int, sample: Int) throws {
        var draws = Draws(seed: seed, purpose: .carveMix, step: step, sample: sample)
        guard draws.chance(carveMix.probability) else { return }
        let source = cases[draws.integer(in: 0..<cases.count)]
        // A seed of its own: the source is cut and augmented apart from the target.
        let other = try self.patch(of: source, seed: draws.next(), step: step, sample: sample)
        patch = carveMix.mixed(patch, with: other, draws: &draws, on: CPU(threads: 1))
    }
}
