import Networks
import Tensors
import Training
import WeightFiles

/// The cross-entropy of finding the key of the other view among it and all keys of the queue.
public struct MomentumContrast: PretextLearner {
    /// What is pre-trained.
    public let query: CropEmbedder
    /// What encodes the other views.
    public let keys: KeyEncoder
    /// The keys of former steps.
    public let queue: KeyQueue
    /// What cosines are divided by.
    public let temperature: Float
    /// Whether each view looks for the other; the keys of the second views enter the queue.
    public let isSymmetric: Bool
    private let pending = Pending()
    private let cpu: CPU

    /// The keys of the step at hand, which enter the queue when it is over.
    private final class Pending {
        var keys: Tensor?
    }

    /// A learner of these parts.
    public init(
        _ query: CropEmbedder, keys: KeyEncoder, queue: KeyQueue, temperature: Float, isSymmetric: Bool, on cpu: CPU
    ) {
        (self.query, self.keys, self.queue, self.temperature) = (query, keys, queue, temperature)
        (self.isSymmetric, self.cpu) = (isSymmetric, cpu)
    }

    /// The query network's: the key network has no gradients and is part of ``state``.
    public var members: [Member] { query.members }

    /// The encoder of the query network.
    public var result: any Module { EncoderOnly(query.encoder) }

    /// The mean over the batch.
    public func loss(_ batch: CropPairs.Batch, in phase: Phase) -> StepLoss {
        let (first, second) = (batch.first.input(on: cpu), batch.second.input(on: cpu))
        let key = unitRows(keys.network(second, in: .inference))
        if phase != .inference { pending.keys = key }
        var total = loss(query: unitRows(query(first, in: phase)), key: key)
        if isSymmetric {
            let other = unitRows(keys.network(first, in: .inference))
            total = scale(add(total, loss(query: unitRows(query(second, in: phase)), key: other)), by: 0.5)
        }
        return StepLoss(total: total, cases: batch.first.names)
    }

    /// `-q k / t + ln(exp(q k / t) + sum over the queue of exp(q k' / t))` for unit rows `[B, E]`, the mean over the rows.
    public func loss(query: Tensor, key: Tensor) -> Tensor {
        let ones = Tensor(filledWith: 1, shape: [1, key.shape[1]], on: cpu)
        let own = rowProducts(multiply(query, key), ones)
        let logits = concatenate([own, rowProducts(query, queue.tensor(on: cpu))], axis: 1)
        return rowCrossEntropy(
            scale(logits, by: 1 / temperature), targets: [Int](repeating: 0, count: query.shape[0]))
    }

    /// Views and cosines of query embeddings.
    public func previews(of batch: CropPairs.Batch) -> [Preview] {
        let crops = PatchBatch.joined([batch.first, batch.second])
        return batch.previews(embeddings: query(crops.input(on: cpu), in: .inference))
    }

    /// The key encoder follows, and the step's keys enter the queue.
    public func didUpdate() {
        keys.follow()
        if let new = pending.keys { queue.append(new) }
        pending.keys = nil
    }

    /// The key encoder and the queue.
    public var state: [String: StoredTensor] { keys.state.merging(queue.state) { own, _ in own } }

    /// Takes up ``state``.
    public func restore(_ state: SafetensorsFile) throws {
        try keys.restore(state)
        try queue.restore(state)
    }
}
