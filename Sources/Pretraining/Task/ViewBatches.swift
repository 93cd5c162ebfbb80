import Tensors
import Training

/// Where in a run a batch is made: all that its random decisions depend on.
public struct BatchPlace: Hashable, Sendable {
    /// Of the run.
    public var seed: UInt64
    /// The step that needs the batch.
    public var step: Int
    /// Whether the batch trains or judges.
    public var phase: Phase

    /// A place.
    public init(seed: UInt64, step: Int, phase: Phase) { (self.seed, self.step, self.phase) = (seed, step, phase) }

    /// The stream of one decision about one sample.
    public func draws(_ purpose: Draws.Purpose, sample: Int = 0) -> Draws {
        Draws(seed: seed, purpose: purpose, step: step, sample: sample)
    }
}

/// Batches of what a method makes of patches: deformed, masked, fused, cut into crops.
public struct ViewBatches<Batch: Sendable>: BatchSource {
    /// The patches.
    public var patches: PatchBatches
    /// Whether the batches train or judge.
    public var phase: Phase
    /// What becomes of them; a pure function.
    public var views: @Sendable (PatchBatch, BatchPlace) -> Batch

    /// What a batch's samples are: patches, or pairs of them.
    public var samplesPerStep: Int { patches.samplesPerStep }

    /// Some samples of a step.
    /// - Throws: `StoreError` if an image of a store cannot be read.
    public func batch(step: Int, samples: Range<Int>) throws -> Batch {
        views(try patches.batch(step: step, samples: samples), BatchPlace(seed: patches.seed, step: step, phase: phase))
    }
}
