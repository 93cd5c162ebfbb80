import Tensors

/// What a segmentation network is trained to make small: a weighted sum of named terms.
///
/// A new loss is one type that conforms. Deep supervision and logging need nothing more than the terms.
public protocol SegmentationLoss: Sendable {
    /// The terms for one output of the network.
    /// - Parameters:
    ///   - logits: `[N, D, H, W, C]`.
    ///   - labels: `[N, D, H, W]`, each a class in `0..<C` or the label that the loss ignores.
    ///   - progress: the share of the training that is over, in `0...1`: the weights of some terms depend on it.
    func terms(_ logits: Tensor, labels: LabelMap, progress: Double) -> [LossTerm]

    /// Whether the loss of a batch is the mean of the losses of its samples, so that a batch may be divided.
    var isMeanOverSamples: Bool { get }

    /// The same loss where several ranks hold the batch in parts; nil if it cannot be divided.
    func pooled(_ pool: BatchPool) -> (any SegmentationLoss)?
}

extension SegmentationLoss {
    /// Not known to be: the safe answer.
    public var isMeanOverSamples: Bool { false }
    /// The loss itself if it is the mean over samples.
    public func pooled(_ pool: BatchPool) -> (any SegmentationLoss)? { isMeanOverSamples ? self : nil }
}

extension SegmentationLoss {
    /// The weighted sum of the terms, a scalar.
    public func callAsFunction(_ logits: Tensor, labels: LabelMap, progress: Double = 1) -> Tensor {
        weightedSum(terms(logits, labels: labels, progress: progress).map { ($0.weight, $0.value) })
    }
}

/// One summand of a loss.
public struct LossTerm {
    /// The name in logs, such as `cross_entropy`.
    public var name: String
    /// What the value is multiplied with.
    public var weight: Double
    /// A scalar.
    public var value: Tensor

    /// The summand `weight * value`.
    public init(_ name: String, weight: Double, value: Tensor) {
        (self.name, self.weight, self.value) = (name, weight, value)
    }
}

/// The sum of `weight * value`. A weight of 1 costs nothing.
func weightedSum(_ summands: [(weight: Double, value: Tensor)]) -> Tensor {
    let scaled = summands.map { $0.weight == 1 ? $0.value : scale($0.value, by: Float($0.weight)) }
    check(!scaled.isEmpty, "a loss has at least one term")
    return scaled.dropFirst().reduce(scaled[0], add)
}
