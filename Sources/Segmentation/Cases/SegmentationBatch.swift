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
    /// How many of the samples, the first ones, have people's labels.
    public var labeled: Int
    /// Another look at the patches, with intensities changed otherwise, `[N, C, D, H, W]`; empty without a mean teacher.
    public var secondImages: [Float] = []
    /// A teacher's probabilities, `[N, K, D, H, W]`; empty unless they are to be learned.
    public var targets: [Float] = []

    /// The input of the network, `[N, D, H, W, C]`.
    public func input(on cpu: CPU) -> Tensor { tensor(images, on: cpu) }

    /// The other look as the input of a network; nil if there is none.
    func secondInput(on cpu: CPU) -> Tensor? { secondImages.isEmpty ? nil : tensor(secondImages, on: cpu) }

    /// The teacher's probabilities, `[N, D, H, W, K]`; nil if there are none.
    func target(on cpu: CPU) -> Tensor? { targets.isEmpty ? nil : tensor(targets, on: cpu) }

    private func tensor(_ values: [Float], on cpu: CPU) -> Tensor {
        let channels = values.count / max(1, labels.labels.count)
        return Tensor(
            channelsFirst: values, samples: labels.samples, channels: channels, extent: labels.extent, on: cpu)
    }
}

extension LabelMap {
    /// The labels of some samples.
    func part(_ range: Range<Int>) -> LabelMap {
        let volume = extent.volume
        return LabelMap(
            samples: range.count, extent: extent,
            labels: Array(labels[range.lowerBound * volume..<range.upperBound * volume]))
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
    /// Cases that fill the second half of every batch, with a teacher's labels or none; may be empty.
    public var companions: [LabeledCase] = []
    /// The label of voxels that count nowhere: of patches without labels, all.
    public var ignoredLabel: Int32 = -1
    /// Whether each patch is given with another look at it.
    public var looksTwice = false

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
        let labeled = 0..<(companions.isEmpty ? batchSize : batchSize - batchSize / 2)
        var batch = SegmentationBatch(
            images: [], channels: 1, labels: LabelMap(samples: 0, extent: cutter.sampling.patch, labels: []), cases: [],
            labeled: samples.clamped(to: labeled).count)
        var labels: [Int32] = []
        for sample in samples {
            let pool = labeled.contains(sample) ? cases : companions
            let chosen = pool[PatchSampling.image(of: pool.count, seed: seed, step: step, sample: sample)]
            var patch = try patch(of: chosen, seed: seed, step: step, sample: sample)
            if let carveMix { try mix(&patch, carveMix, step: step, sample: sample) }
            patch.treatOutsideAsBackground()
            batch.images += patch.image
            labels +=
                patch.labels?.map(Int32.init) ?? [Int32](repeating: ignoredLabel, count: patch.extent.volume)
            batch.channels = patch.channels
            batch.cases.append(chosen.name)
            if looksTwice {
                let other = secondSeed(step: step, sample: sample)
                batch.secondImages += try self.patch(
                    of: chosen, seed: seed, step: step, sample: sample, intensitySeed: other
                ).image
            }
            if let map = chosen.teacherMap { batch.targets += try target(map, of: chosen, step: step, sample: sample) }
        }
        batch.labels = LabelMap(samples: samples.count, extent: cutter.sampling.patch, labels: labels)
        return batch
    }

    private func secondSeed(step: Int, sample: Int) -> UInt64 {
        var draws = Draws(seed: seed, purpose: .secondLook, step: step, sample: sample)
        return draws.next()
    }

    /// The teacher's probabilities for the voxels of a patch.
    private func target(_ map: TeacherMap, of item: LabeledCase, step: Int, sample: Int) throws -> [Float] {
        var patch = try cutter.geometryOnly.patch(
            from: map, foreground: item.foreground, seed: seed, step: step, sample: sample, batch: batchSize)
        if map.isDistribution { Probabilities.renormalize(&patch.image, voxels: patch.extent.volume) }
        return patch.image
    }

    private func patch(
        of item: LabeledCase, seed: UInt64, step: Int, sample: Int, intensitySeed: UInt64? = nil
    ) throws -> Patch {
        let item = item.region.map { item.seen(in: $0.drawn(seed: seed, step: step, sample: sample)) } ?? item
        return try cutter.patch(
            from: item.source, foreground: item.foreground, seed: seed, step: step, sample: sample, batch: batchSize,
            intensitySeed: intensitySeed)
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

extension Draws.Purpose {
    /// The seed of another look at a patch.
    static let secondLook: Self = "second look"
}
