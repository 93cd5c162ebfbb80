import Networks
import Tensors
import WeightFiles

/// What a network learns from besides people's labels: a teacher's labels, its probabilities, or its agreement.
///
/// A batch holds patches of labeled cases first, then those of further cases. The labeled ones get the usual loss; a
/// guidance adds terms of its own.
public protocol Guidance {
    /// What the usual loss of the labeled patches is multiplied with.
    func supervisedWeight(_ batch: SegmentationBatch) -> Double
    /// The terms that are added.
    /// - Parameters:
    ///   - outputs: logits of the whole batch, full resolution first.
    ///   - loss: the usual loss.
    ///   - progress: the share of the training that is over.
    func terms(
        _ outputs: [Tensor], batch: SegmentationBatch, loss: DeepSupervision, progress: Double
    ) -> [LossTerm]
    /// Called after the optimizer's step.
    func didUpdate(step: Int)
    /// The network that is validated and saved in place of the one that learns; nil for that one.
    var successor: UNet? { get }
    /// What the guidance remembers between steps.
    var state: [String: StoredTensor] { get }
    /// Takes up ``state``.
    func restore(_ state: SafetensorsFile) throws
}

extension Guidance {
    /// All of it.
    public func supervisedWeight(_ batch: SegmentationBatch) -> Double { 1 }
    /// Does nothing.
    public func didUpdate(step: Int) {}
    /// The network that learns.
    public var successor: UNet? { nil }
    /// Nothing.
    public var state: [String: StoredTensor] { [:] }
    /// There is nothing to restore.
    public func restore(_ state: SafetensorsFile) throws {}
}

/// Learning from a teacher's labels where it was sure (Lee 2013, "Pseudo-label"): the usual loss on the further patches,
/// whose unsure voxels count nowhere.
public struct PseudoLabelGuidance: Guidance {
    /// The weight of that loss, which may rise while the training goes on.
    public var weight: WeightCourse

    /// A guidance with this weight.
    public init(weight: WeightCourse) { self.weight = weight }

    /// `pseudo_labels`.
    public func terms(
        _ outputs: [Tensor], batch: SegmentationBatch, loss: DeepSupervision, progress: Double
    ) -> [LossTerm] {
        let further = batch.labeled..<batch.labels.samples
        guard !further.isEmpty else { return [] }
        let (total, _) = loss(
            outputs.map { slice($0, axis: 0, further) }, labels: batch.labels.part(further), progress: progress)
        return [LossTerm("pseudo_labels", weight: weight(at: progress), value: total)]
    }
}

/// Learning a teacher's probabilities (Hinton et al. 2015): `(1 - a) usual loss + a T² KL(teacher ‖ student)`; cases without
/// labels have `a = 1`. The divergence is taken at full resolution.
public struct DistillationGuidance: Guidance {
    /// `a`.
    public var share: Double
    /// `T`, by which the targets of batches are softened already.
    public var temperature: Double
    /// Whether channels are regions that may overlap.
    public var areRegions: Bool

    /// A guidance of these numbers.
    public init(share: Double, temperature: Double, areRegions: Bool) {
        (self.share, self.temperature, self.areRegions) = (share, temperature, areRegions)
    }

    /// The share of the labeled patches, times `1 - a`.
    public func supervisedWeight(_ batch: SegmentationBatch) -> Double {
        (1 - share) * Double(batch.labeled) / Double(batch.labels.samples)
    }

    /// `distillation` of the labeled patches, `distillation_unlabeled` of the others.
    public func terms(
        _ outputs: [Tensor], batch: SegmentationBatch, loss: DeepSupervision, progress: Double
    ) -> [LossTerm] {
        guard let target = batch.target(on: outputs[0].cpu) else { return [] }
        let samples = batch.labels.samples
        return [
            ("distillation", 0..<batch.labeled, share), ("distillation_unlabeled", batch.labeled..<samples, 1),
        ].compactMap { name, range, weight in
            guard !range.isEmpty, weight > 0 else { return nil }
            let value = distillation(
                slice(outputs[0], axis: 0, range), target: slice(target, axis: 0, range), temperature: temperature,
                areRegions: areRegions)
            return LossTerm(name, weight: weight * Double(range.count) / Double(samples), value: value)
        }
    }
}
