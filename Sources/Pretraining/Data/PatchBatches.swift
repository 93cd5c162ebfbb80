import Augmentation
import Tensors
import Training
import Volumes

/// Patches of images without labels that go through the network together.
public struct PatchBatch: Sendable {
    /// The intensities, `[N, 1, D, H, W]`.
    public var voxels: [Float]
    /// The size of a patch.
    public var extent: Extent3
    /// The images that the patches come from, one per sample.
    public var names: [String]
    /// What is known about each voxel, `[N, D, H, W]`, -1 beyond an image; nil if no patch has labels. Those of images without
    /// structures are ``RegionLabel``s.
    public var labels: [Int16]?
    /// Which of several labeled datasets each patch is from.
    public var domains: [Int]
    /// The number that each patch has among all patches of its step: what its random decisions depend on.
    public var indices: [Int]

    /// Patches of one channel and one size, numbered from 0.
    public init(_ patches: [Patch], names: [String]) {
        check(
            patches.count == names.count && patches.allSatisfy { $0.channels == 1 && $0.extent == patches[0].extent },
            "a batch wants patches of one channel and one size")
        voxels = patches.flatMap(\.image)
        (extent, self.names) = (patches[0].extent, names)
        indices = Array(names.indices)
        domains = [Int](repeating: 0, count: names.count)
        guard patches.contains(where: { $0.labels != nil }) else { return }
        labels = patches.flatMap { $0.labels ?? [Int16](repeating: RegionLabel.anywhere, count: $0.extent.volume) }
    }

    /// Voxels from which anonymization removed content, `[N, D, H, W]`; nil where there are none. No loss may count them.
    public var excluded: [Bool]? {
        guard let labels, labels.contains(RegionLabel.anonymized) else { return nil }
        return labels.map { $0 == RegionLabel.anonymized }
    }

    /// All patches of several batches, one batch after another.
    static func joined(_ batches: [PatchBatch]) -> PatchBatch {
        check(batches.allSatisfy { $0.extent == batches[0].extent }, "joined batches want patches of one size")
        var all = batches[0]
        all.voxels = batches.flatMap(\.voxels)
        all.names = batches.flatMap(\.names)
        all.domains = batches.flatMap(\.domains)
        all.indices = batches.flatMap(\.indices)
        all.labels = batches.contains { $0.labels == nil } ? nil : batches.flatMap { $0.labels ?? [] }
        return all
    }

    /// The number of patches.
    public var samples: Int { names.count }

    /// One patch.
    public func patch(_ sample: Int) -> Patch {
        let volume = extent.volume
        return Patch(
            image: Array(voxels[sample * volume..<(sample + 1) * volume]), channels: 1, labels: nil, extent: extent)
    }

    /// The patches as a feature map `[N, D, H, W, 1]`.
    public func input(on cpu: CPU) -> Tensor {
        Tensor(channelsFirst: voxels, samples: samples, channels: 1, extent: extent, on: cpu)
    }
}

/// Batches of patches, drawn with replacement from images by their weights, whatever they show.
public struct PatchBatches: BatchSource {
    /// The images to draw from.
    public var images: [PretrainingData.Image]
    /// How patches are cut and changed. What lies beyond an image is 0.
    public var cutter: PatchCutter
    /// Patches per step.
    public var samples: Int
    /// Decides everything that is drawn.
    public var seed: UInt64
    /// Whether sample `i + samples / 2` is the partner of sample `i` and shows another image, if there is another.
    public var arePairs: Bool

    /// Batches of `samples` patches of `images`.
    public init(
        of images: [PretrainingData.Image], cutter: PatchCutter, samples: Int, seed: UInt64, arePairs: Bool = false
    ) {
        check(!images.isEmpty, "batches want at least one image")
        (self.images, self.cutter, self.samples, self.seed) = (images, cutter, samples, seed)
        self.arePairs = arePairs
    }

    /// Patches, or pairs of patches, of a step.
    public var samplesPerStep: Int { arePairs ? samples / 2 : samples }

    /// Some patches of a step; or of some pairs the first patches, then their partners.
    /// - Throws: `StoreError` if an image of a store cannot be read.
    public func batch(step: Int, samples range: Range<Int>) throws -> PatchBatch {
        let numbers = Array(range) + (arePairs ? range.map { $0 + samples / 2 } : [])
        let chosen = numbers.map { images[choice(step: step, sample: $0)] }
        let patches = try numbers.indices.map { index -> Patch in
            let image = chosen[index]
            return try cutter.patch(
                from: image.source, foreground: image.anatomy, seed: seed, step: step, sample: numbers[index],
                batch: samples)
        }
        var batch = PatchBatch(patches, of: chosen)
        batch.indices = numbers
        return batch
    }

    /// Which image a sample shows.
    private func choice(step: Int, sample: Int) -> Int {
        guard arePairs, sample >= samples / 2, images.count > 1 else {
            return drawn(from: Array(images.indices), step: step, sample: sample)
        }
        let partner = drawn(from: Array(images.indices), step: step, sample: sample - samples / 2)
        return drawn(from: images.indices.filter { $0 != partner }, step: step, sample: sample)
    }

    /// One of some images, by their weights.
    private func drawn(from candidates: [Int], step: Int, sample: Int) -> Int {
        let weights = candidates.map { images[$0].weight }
        guard weights.contains(where: { $0 != weights[0] }) else {
            return candidates[
                PatchSampling.image(of: candidates.count, seed: seed, step: step, sample: sample)]
        }
        var draws = Draws(seed: seed, purpose: "weighted-image-choice", step: step, sample: sample)
        var left = draws.uniform() * weights.reduce(0, +)
        for (candidate, weight) in zip(candidates, weights) {
            left -= weight
            if left < 0 { return candidate }
        }
        return candidates[candidates.count - 1]
    }
}

extension PatchBatch {
    /// Patches of some images.
    init(_ patches: [Patch], of images: [PretrainingData.Image]) {
        self.init(patches, names: images.map(\.name))
        domains = images.map(\.domain)
    }
}
