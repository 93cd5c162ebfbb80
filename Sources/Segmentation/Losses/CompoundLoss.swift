import Tensors

/// A weighted sum of losses, such as Dice plus focal loss. The weights may change while the training goes on.
public struct CompoundLoss: SegmentationLoss {
    /// One of the losses.
    public struct Part: Sendable {
        /// What is multiplied.
        public var loss: any SegmentationLoss
        /// The factor of all its terms.
        public var weight: WeightCourse

        /// A loss with its weight.
        public init(_ loss: any SegmentationLoss, weight: WeightCourse) { (self.loss, self.weight) = (loss, weight) }
    }

    /// The losses.
    public var parts: [Part]

    /// The sum of `parts`, at least one.
    public init(_ parts: [Part]) {
        check(!parts.isEmpty, "a compound loss has at least one part")
        self.parts = parts
    }

    /// If all parts are.
    public var isMeanOverSamples: Bool { parts.allSatisfy { $0.loss.isMeanOverSamples } }

    /// Of pooled parts, if all can be.
    public func pooled(_ pool: BatchPool) -> (any SegmentationLoss)? {
        let pooled = parts.compactMap { part in part.loss.pooled(pool).map { Part($0, weight: part.weight) } }
        return pooled.count == parts.count ? CompoundLoss(pooled) : nil
    }

    /// The terms of all parts whose weight is not 0 for good.
    public func terms(_ logits: Tensor, labels: LabelMap, progress: Double) -> [LossTerm] {
        parts.filter { $0.weight != 0 }.flatMap { part in
            part.loss.terms(logits, labels: labels, progress: progress).map {
                LossTerm($0.name, weight: $0.weight * part.weight(at: progress), value: $0.value)
            }
        }
    }
}

/// A weight that changes in a straight line while a part of the training goes on, and then stays.
public struct WeightCourse: Sendable, Hashable, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
    /// The weight of the first step.
    public var first: Double
    /// The weight from ``end`` on.
    public var last: Double
    /// The share of the training after which the weight stays, in `0...1`.
    public var end: Double

    /// A weight that goes from `first` to `last`.
    public init(from first: Double, to last: Double, until end: Double) {
        (self.first, self.last, self.end) = (first, last, end)
    }

    /// A weight that stays.
    public init(_ weight: Double) { self.init(from: weight, to: weight, until: 0) }

    /// A weight that stays.
    public init(floatLiteral weight: Double) { self.init(weight) }

    /// A weight that stays.
    public init(integerLiteral weight: Int) { self.init(Double(weight)) }

    /// The weight after a share of the training.
    public func callAsFunction(at progress: Double) -> Double {
        progress >= end ? last : first + (last - first) * progress / end
    }
}
