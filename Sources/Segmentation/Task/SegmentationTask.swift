import Networks
import Tensors
import Training
import Volumes
import WeightFiles

/// Learning to segment: patches of labeled cases, a loss on all resolutions of the decoder, whole validation cases.
public struct SegmentationTask: TrainingTask {
    /// The network; its plan says whether the loss sees every resolution.
    public let unet: UNet
    /// The patches of every step.
    public let batches: SegmentationBatches
    /// The loss of every resolution.
    public let loss: DeepSupervision
    /// The steps of the whole training: the weights of some losses change on the way.
    public let steps: Int
    /// What is predicted from time to time; may be empty.
    public let validation: ValidationCases
    /// What is learned besides labels; nil for labels only.
    public var guidance: (any Guidance)?
    /// What the weights are good for.
    public let card: TransferCard
    private let phase: Phase
    private let cpu: CPU

    /// A task.
    /// - Parameters:
    ///   - plan: what preprocessing did and the network is.
    ///   - loss: of one resolution.
    ///   - steps: of the whole training.
    ///   - recomputes: whether to keep less and compute it again for the gradients, see `Phase.recomputing`.
    public init(
        _ unet: UNet, plan: Plan, batches: SegmentationBatches, loss: any SegmentationLoss, steps: Int,
        validation: ValidationCases, recomputes: Bool = false, on cpu: CPU
    ) {
        (self.unet, self.batches, self.steps) = (unet, batches, steps)
        (self.validation, self.cpu) = (validation, cpu)
        phase = recomputes ? .recomputing : .training
        self.loss = DeepSupervision(loss)
        card = .ofTraining(unet, plan: plan, method: "segmentation", transferable: ["encoder", "decoder"])
    }

    /// The network whose parameters train.
    public var network: any Module { unet }

    /// The network that is validated, and that the run's weights file keeps: without adapters.
    public var trained: UNet { guidance?.successor ?? (unet.hasAdapters ? unet.merged(on: cpu) : unet) }

    /// ``trained``.
    public var result: any Module { trained }

    /// What loss, network or teacher say.
    public var undividedBecause: String? {
        if guidance != nil { return "a teacher's terms count by how many samples of the batch have labels" }
        if unet.normalizesBatches { return BatchNorm.undividedBecause }
        return loss.loss.isMeanOverSamples
            ? nil : "the loss sums over all samples before it divides (batch_dice, an ignore label, weights of classes)"
    }

    /// The loss of a batch; its parts are those of full resolution.
    public func loss(_ batch: SegmentationBatch, step: Int) throws -> StepLoss {
        let progress = Double(step) / Double(max(1, steps))
        let outputs = unet(batch.input(on: cpu), in: phase)
        guard let guidance else {
            let (total, terms) = loss(outputs, labels: batch.labels, progress: progress)
            return StepLoss(total: total, parts: Self.parts(terms), cases: batch.cases)
        }
        let range = 0..<batch.labeled
        let isWhole = range.count == batch.labels.samples
        let (total, terms) = loss(
            isWhole ? outputs : outputs.map { slice($0, axis: 0, range) },
            labels: isWhole ? batch.labels : batch.labels.part(range), progress: progress)
        let added = guidance.terms(outputs, batch: batch, loss: loss, progress: progress)
        let sum = weightedSum([(guidance.supervisedWeight(batch), total)] + added.map { ($0.weight, $0.value) })
        return StepLoss(total: sum, parts: Self.parts(terms + added), cases: batch.cases)
    }

    private static func parts(_ terms: [LossTerm]) -> [String: Double] {
        Dictionary(uniqueKeysWithValues: terms.map { ($0.name, Double($0.value.item)) })
    }

    /// A teacher follows.
    public func didUpdate(step: Int) throws { guidance?.didUpdate(step: step) }

    /// A teacher's weights, if there is one.
    public var state: [String: StoredTensor] { guidance?.state ?? [:] }

    /// Takes up ``state``.
    public func restore(_ state: SafetensorsFile) throws { try guidance?.restore(state) }

    /// The mean Dice of each class over the validation cases, and of all.
    public func validate(step: Int) throws -> [String: Double] {
        guard !validation.cases.isEmpty else { return [:] }
        let scores = try validation.scores(of: trained, on: cpu)
        var numbers = ["dice": scores.foregroundMean(.dice)]
        for (index, structure) in scores.structures.enumerated() where scores.structures.count > 1 {
            numbers["dice \(structure.name)"] = scores.scores(.dice, ofStructure: index).mean
        }
        return numbers.filter { $0.value.isFinite }
    }

    /// A slice of up to three cases: image, reference and prediction.
    public func previews(step: Int) throws -> [Preview] {
        let cases = validation.cases.isEmpty ? batches.cases : validation.cases
        let network = trained
        return try cases.prefix(3).map { item in
            try SlicePreview(of: item, patch: batches.cutter.sampling.patch).preview(
                by: network, decision: validation.decision, on: cpu)
        }
    }
}

extension TransferCard {
    /// What the weights of a network that trains on a plan's patches are good for.
    static func ofTraining(_ unet: UNet, plan: Plan, method: String, transferable: [String]) -> TransferCard {
        TransferCard(
            architecture: unet.plan, method: method, patch: plan.patch,
            // A plan may keep the images' own distance of slices; the card's numbers have no word for it but 0.
            spacingMM: plan.spacingMM.map { $0 ?? 0 }, normalization: plan.channels.map(\.normalization.cardName),
            intensities: plan.channels.contains { ["ct", "window"].contains($0.normalization.cardName) }
                ? plan.channels.map(\.normalization.cardIntensities) : [],
            transferable: transferable)
    }
}
