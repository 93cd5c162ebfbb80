import Augmentation
import Networks
import Tensors
import Training
import Volumes
import WeightFiles

/// A pre-training as the loop sees it: what all methods share around a network and its loss.
///
/// Unseen images judge the network on patches and views that are the same in every validation of every run.
public struct PretextTask<Learner: PretextLearner>: TrainingTask {
    /// The network and its loss.
    public let learner: Learner
    /// The batches of every step.
    public let batches: ViewBatches<Learner.Batch>
    /// What the weights are good for.
    public let card: TransferCard
    private let judges: ViewBatches<Learner.Batch>?
    private let validationBatches: Int
    private let phase: Phase

    /// The same for all runs, so that they compare.
    static var validationSeed: UInt64 { 12_345 }

    /// A task of the method called `method`.
    ///
    /// - Parameters:
    ///   - cutter: how training patches are cut; by default as the setup says.
    ///   - samples: patches of a batch; by default as the setup says.
    ///   - arePairs: whether the second half of a batch shows other images than the first.
    ///   - views: what becomes of patches, a pure function.
    public init(
        _ learner: Learner, method: String, setup: PretrainingSetup, data: PretrainingData, cutter: PatchCutter? = nil,
        samples: Int? = nil, arePairs: Bool = false,
        views: @escaping @Sendable (PatchBatch, BatchPlace) -> Learner.Batch
    ) {
        self.learner = learner
        let (cutter, samples) = (cutter ?? setup.cutter, samples ?? setup.batch)
        batches = ViewBatches(
            patches: PatchBatches(
                of: data.training, cutter: cutter, samples: samples, seed: setup.seed,
                arePairs: arePairs),
            phase: .training, views: views)
        judges =
            data.validation.isEmpty
            ? nil
            : ViewBatches(
                patches: PatchBatches(
                    of: data.validation, cutter: .plain(patch: cutter.sampling.patch, oversampling: .probability(0)),
                    samples: samples, seed: Self.validationSeed, arePairs: arePairs),
                phase: .inference, views: views)
        validationBatches = setup.validationBatches
        phase = setup.recomputes ? .recomputing : .training
        card = setup.card(method: method, transferable: learner.result.partNames)
    }

    /// The network with all that the method adds.
    public var network: any Module { learner }

    /// What fine-tuning starts from, and what other frameworks' loaders accept.
    public var result: any Module { learner.result }

    /// What the learner remembers.
    public var state: [String: StoredTensor] { learner.state }

    /// What the learner or its norms say.
    public var undividedBecause: String? {
        learner.undividedBecause ?? (learner.normalizesBatches ? BatchNorm.undividedBecause : nil)
    }

    /// The learner's loss.
    public func loss(_ batch: Learner.Batch, step: Int) -> StepLoss { learner.loss(batch, in: phase) }

    /// Tells the learner.
    public func didUpdate(step: Int) { learner.didUpdate() }

    /// Hands it to the learner.
    public func restore(_ state: SafetensorsFile) throws { try learner.restore(state) }

    /// The mean loss on unseen images.
    public func validate(step: Int) throws -> [String: Double] {
        guard let judges, validationBatches > 0 else { return [:] }
        let total = try (0..<validationBatches).reduce(0.0) { sum, index in
            sum + Double(learner.loss(try judges.batch(step: index), in: .inference).total.item)
        }
        return ["validation loss": total / Double(validationBatches)]
    }

    /// Slices through the middle of up to three images, as the network sees them in training.
    public func previews(step: Int) throws -> [Preview] {
        let place = BatchPlace(seed: Self.validationSeed, step: 0, phase: .training)
        let patches = try (judges ?? batches).patches.middles()
        return Array(learner.previews(of: batches.views(patches, place)).prefix(3))
    }
}

extension PatchBatches {
    /// The patches in the middle of the first images, partners of the next; images repeat where a batch has more samples.
    func middles() throws -> PatchBatch {
        let extent = cutter.sampling.patch
        let half = arePairs ? samples / 2 : samples
        let chosen = (0..<samples).map { images[($0 % half + $0 / half) % images.count] }
        let patches = try chosen.map { try $0.source.patch(in: VoxelBox(whole: $0.source.extent).centered(extent)) }
        return PatchBatch(patches, of: chosen)
    }
}

extension Module {
    /// The names of the parts, without those of their own parts.
    fileprivate var partNames: [String] {
        members.compactMap { if case .module(let name, _) = $0 { name } else { nil } }
    }
}
