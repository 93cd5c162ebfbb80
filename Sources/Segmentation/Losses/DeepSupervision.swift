import Tensors

/// A loss on every resolution of the decoder: `sum over j of w_j loss(output_j, labels_j)`.
///
/// The labels of an output are those of full resolution, sampled down. An output of weight 0 is not evaluated, so that its
/// head gets no gradient.
public struct DeepSupervision: Sendable {
    /// The loss of one output.
    public var loss: any SegmentationLoss

    /// Deep supervision with `loss`.
    public init(_ loss: any SegmentationLoss) { self.loss = loss }

    /// nnU-Net's weights, full resolution first: `1, 1/2, 1/4, ...`, the last 0, divided by their sum. One output has
    /// weight 1.
    public static func weights(outputs: Int) -> [Double] {
        guard outputs > 1 else { return [Double](repeating: 1, count: outputs) }
        let raw = (0..<outputs).map { $0 == outputs - 1 ? 0 : 1 / Double(1 << $0) }
        let sum = raw.reduce(0, +)
        return raw.map { $0 / sum }
    }

    /// - Parameters:
    ///   - outputs: logits `[N, D, H, W, C]`, full resolution first.
    ///   - labels: `[N, D, H, W]` at full resolution.
    ///   - progress: the share of the training that is over.
    /// - Returns: the total, a scalar, and the unweighted terms of the full resolution for the log.
    public func callAsFunction(
        _ outputs: [Tensor], labels: LabelMap, progress: Double = 1
    ) -> (total: Tensor, terms: [LossTerm]) {
        check(!outputs.isEmpty, "a network with at least one output, please")
        let weighted = zip(Self.weights(outputs: outputs.count), outputs).filter { $0.0 > 0 }
        let terms = weighted.map {
            loss.terms($0.1, labels: labels.downsampled(to: $0.1.shape.extent), progress: progress)
        }
        let summands = zip(weighted, terms).flatMap { level, terms in
            terms.map { (weight: level.0 * $0.weight, value: $0.value) }
        }
        return (weightedSum(summands), terms[0])
    }
}
