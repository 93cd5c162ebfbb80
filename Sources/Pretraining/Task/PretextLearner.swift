import Networks
import Tensors
import Training
import WeightFiles

/// A network with what it is pre-trained for: the loss of a batch, and pictures of it.
///
/// A batch is complete: it holds what the network sees and all that is needed to judge what comes out, so that a loss draws
/// nothing and depends on nothing but weights and batch.
public protocol PretextLearner: Module {
    /// What the network sees and what it must produce.
    associatedtype Batch: Sendable

    /// What fine-tuning starts from, under the names of a U-Net.
    var result: any Module { get }
    /// What the learner remembers between steps besides its parameters.
    var state: [String: StoredTensor] { get }
    /// What stands against dividing a batch, see `TrainingTask`; nil if its loss is the mean of its samples'.
    var undividedBecause: String? { get }

    /// The loss of a batch.
    func loss(_ batch: Batch, in phase: Phase) -> StepLoss
    /// For each sample, or the first few, a row of pictures: what the network sees, what it must produce, what it produces.
    func previews(of batch: Batch) -> [Preview]
    /// Called after the optimizer's step.
    func didUpdate()
    /// Takes up what ``state`` gave.
    func restore(_ state: SafetensorsFile) throws
}

extension PretextLearner {
    /// Nothing.
    public var state: [String: StoredTensor] { [:] }
    /// The samples of a batch are compared with each other, or normalized together: what contrastive methods do.
    public var undividedBecause: String? { "this method compares the samples of a batch with each other" }
    /// Does nothing.
    public func didUpdate() {}
    /// There is nothing to restore.
    public func restore(_ state: SafetensorsFile) throws {}
}

/// The encoder alone, under the names it has in a U-Net: the result of methods that do not train the decoder.
public struct EncoderOnly: Module {
    /// The encoder.
    public let encoder: any UNetEncoder

    /// Nothing but `encoder`.
    public init(_ encoder: any UNetEncoder) { self.encoder = encoder }

    /// `encoder`.
    public var members: [Member] { [.module("encoder", encoder)] }
}
