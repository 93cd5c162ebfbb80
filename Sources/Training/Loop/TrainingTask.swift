import Networks
import Tensors
import WeightFiles

/// What is trained: a network, batches and a loss. ``TrainingLoop`` does all the rest.
public protocol TrainingTask {
    /// Where batches come from.
    associatedtype Source: BatchSource

    /// The network whose parameters the optimizer changes and the checkpoint keeps.
    var network: any Module { get }
    /// The part of the network that the run's weights file keeps.
    var result: any Module { get }
    /// The source of batches; it works on other threads while the network computes.
    var batches: Source { get }
    /// What the weights are good for, written beside them.
    var card: TransferCard { get }
    /// What the task remembers between steps besides the parameters, such as a moving average of the network or the
    /// statistics of batch norms. Empty for most tasks.
    var state: [String: StoredTensor] { get }
    /// Whether the loss of a batch is the mean of the losses of its samples, so that a batch may be divided into
    /// micro-batches and among ranks; nil if it is, else what stands against it, as the end of a sentence.
    var undividedBecause: String? { get }

    /// The loss of a batch, with the tape that leads from it to the parameters.
    func loss(_ batch: Source.Batch, step: Int) throws -> StepLoss
    /// Called after the optimizer's step.
    func didUpdate(step: Int) throws
    /// Numbers that judge the network, by name. Called every so many steps and at the end.
    func validate(step: Int) throws -> [String: Double]
    /// Pictures for the run's page.
    func previews(step: Int) throws -> [Preview]
    /// Takes up what ``state`` gave.
    func restore(_ state: SafetensorsFile) throws
}

extension TrainingTask {
    /// The whole network.
    public var result: any Module { network }
    /// Nothing.
    public var state: [String: StoredTensor] { [:] }
    /// Not known to be: the safe answer.
    public var undividedBecause: String? { "the loss may compare the samples of a batch with each other" }
    /// Does nothing.
    public func didUpdate(step: Int) throws {}
    /// No judgement.
    public func validate(step: Int) throws -> [String: Double] { [:] }
    /// No pictures.
    public func previews(step: Int) throws -> [Preview] { [] }
    /// There is nothing to restore.
    public func restore(_ state: SafetensorsFile) throws {}
}

/// Makes batches. Only values cross threads: a source is sendable, and so is what it makes.
public protocol BatchSource: Sendable {
    /// What a step needs: patches, labels, masks.
    associatedtype Batch: Sendable

    /// How many samples a step has: what a task's loss is the mean over.
    var samplesPerStep: Int { get }

    /// Some samples of a step's batch: a pure function of the step, so that any part of any batch can be made again alone,
    /// ahead of its time, on any thread or machine.
    func batch(step: Int, samples: Range<Int>) throws -> Batch
}

extension BatchSource {
    /// The whole batch of a step.
    public func batch(step: Int) throws -> Batch { try batch(step: step, samples: 0..<samplesPerStep) }
}

/// The loss of one step.
public struct StepLoss {
    /// The scalar to minimize.
    public var total: Tensor
    /// Its parts, for the log.
    public var parts: [String: Double]
    /// The cases that the batch came from, for messages.
    public var cases: [String]

    /// A loss.
    public init(total: Tensor, parts: [String: Double] = [:], cases: [String] = []) {
        (self.total, self.parts, self.cases) = (total, parts, cases)
    }
}
