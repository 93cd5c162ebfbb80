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
    /// What the weights are good for.
    public let card: TransferCard
    private let phase: Phase
    private let cpu: CPU

    /// A task.
    /// - Parameters:
    ///   - plan: what preprocessing did and the network is.
    ///   - loss: of one resolution.
    ///   - steps: of the whole training.
    ///   - recomputes: whether blocks of the network are computed again for the gradients instead of kept.
    public init(
        _ unet: UNet, plan: Plan, batches: SegmentationBatches, loss: any SegmentationLoss, steps: Int,
        validation: ValidationCases, recomputes: Bool = false, on cpu: CPU
    ) {
        (self.unet, self.batches, self.steps) = (unet, batches, steps)
        (self.validation, self.cpu) = (validation, cpu)
        phase = recomputes ? .recomputing : .training
        self.loss = DeepSupervision(loss)
        card = TransferCard(
            architecture: unet.plan, method: "segmentation", patch: plan.patch,
            // A plan may keep the images' own distance of slices; the card's numbers have no word for it but 0.
            spacingMM: plan.spacingMM.map { $0 ?? 0 }, normalization: plan.channels.map(\.normalization.cardName),
            transferable: ["encoder", "decoder"])
    }

    /// The network whose parameters train.
    public var network: any Module { unet }

    /// What the loss says.
    public var undividedBecause: String? {
        loss.loss.isMeanOverSamples
            ? nil : "the loss sums over all samples before it divides (batch_dice, an ignore label, weights of classes)"
    }

    /// The loss of a batch; its parts are those of full resolution.
    public func loss(_ batch: SegmentationBatch, step: Int) throws -> StepLoss {
        let (total, terms) = loss(
            unet(batch.input(on: cpu), in: phase), labels: batch.labels,
            progress: Double(step) / Double(max(1, steps)))
        let parts = terms.map { ($0.name, Double($0.value.item)) }
        return StepLoss(total: total, parts: Dictionary(uniqueKeysWithValues: parts), cases: batch.cases)
    }

    /// The mean Dice of each class over the validation cases, and of all.
    public func validate(step: Int) throws -> [String: Double] {
        guard !validation.cases.isEmpty else { return [:] }
        let scores = try validation.scores(of: unet, on: cpu)
        var numbers = ["dice": scores.foregroundMean(.dice)]
        for (index, structure) in scores.structures.enumerated() where scores.structures.count > 1 {
            numbers["dice \(structure.name)"] = scores.scores(.dice, ofStructure: index).mean
        }
        return numbers.filter { $0.value.isFinite }
    }

    /// A slice of up to three cases: image, reference and prediction.
    public func previews(step: Int) throws -> [Preview] {
        let cases = validation.cases.isEmpty ? batches.cases : validation.cases
        return try cases.prefix(3).map { item in
            try SlicePreview(of: item, patch: batches.cutter.sampling.patch).preview(
                by: unet, decision: validation.decision, on: cpu)
        }
    }
}

extension Normalization {
    /// The scheme's name on transfer cards.
    fileprivate var cardName: String {
        switch self {
        case .zScore: "z_score"
        case .ct: "ct"
        case .zeroToOne: "zero_to_one"
        case .rgb: "rgb"
        case .none: "none"
        }
    }
}
