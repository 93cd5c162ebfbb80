import Evaluation
import Networks
import Tensors
import Training
import Volumes
import WeightFiles

/// Learning to classify whole images.
public struct ClassificationTask: TrainingTask {
    /// The encoder and its classification head.
    public let unet: UNet
    /// The images of every step.
    public let batches: ClassificationBatches
    /// The loss of the logits, as if each image were a map of one voxel.
    public let loss: any SegmentationLoss
    /// What is classified from time to time; may be empty. Each image has the patch's size.
    public let validation: [ClassifiedCase]
    /// What the weights are good for.
    public let card: TransferCard
    private let phase: Phase
    private let cpu: CPU

    /// A task.
    /// - Parameters:
    ///   - plan: what preprocessing did and the network is.
    ///   - recomputes: whether to keep less and compute it again for the gradients, see `Phase.recomputing`.
    public init(
        _ unet: UNet, plan: Plan, batches: ClassificationBatches, loss: any SegmentationLoss,
        validation: [ClassifiedCase], recomputes: Bool = false, on cpu: CPU
    ) {
        (self.unet, self.batches, self.loss, self.validation) = (unet, batches, loss, validation)
        (phase, self.cpu) = (recomputes ? .recomputing : .training, cpu)
        card = .ofTraining(unet, plan: plan, method: "classification", transferable: ["encoder"])
    }

    /// The network whose parameters train.
    public var network: any Module { unet }
    /// The network that is validated and kept: without adapters.
    public var trained: UNet { unet.hasAdapters ? unet.merged(on: cpu) : unet }
    /// ``trained``.
    public var result: any Module { trained }

    /// What loss or network say.
    public var undividedBecause: String? {
        if unet.normalizesBatches { return BatchNorm.undividedBecause }
        return loss.isMeanOverSamples ? nil : "classes have weights, and the loss divides by those of all samples"
    }

    /// The loss of a batch.
    public func loss(_ batch: ClassificationBatch, step: Int) -> StepLoss {
        let logits = unet(batch.input(on: cpu), outputs: 1, in: phase)[0]
        let terms = loss.terms(logits, labels: batch.labelMap, progress: 0)
        return StepLoss(
            total: weightedSum(terms.map { ($0.weight, $0.value) }),
            parts: Dictionary(uniqueKeysWithValues: terms.map { ($0.name, Double($0.value.item)) }), cases: batch.cases)
    }

    /// The share of the validation cases that are classified rightly, and the mean area under their curves.
    public func validate(step: Int) -> [String: Double] {
        guard !validation.isEmpty else { return [:] }
        let network = trained
        let images = validation.map { item in
            ClassifiedImage(
                name: item.name, reference: item.label,
                probabilities: network.probabilities(of: item.image, mirroredAxes: [], on: cpu))
        }
        let scores = ClassificationScores(classes: (0..<unet.plan.outputChannels).map(String.init), images: images)
        return ["accuracy": scores.accuracy.value, "auc": scores.meanArea].filter { $0.value.isFinite }
    }
}
