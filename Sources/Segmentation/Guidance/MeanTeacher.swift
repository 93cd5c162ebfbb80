import Foundation
import Networks
import Tensors
import Training
import WeightFiles

/// A mean teacher (Tarvainen and Valpola 2017, arXiv:1703.01780): a network that follows the one that learns, and with
/// which it shall agree on two looks at the same patch, labeled or not.
///
/// The teacher's weights are `a teacher + (1 - a) student` after each step, with `a = min(1 - 1/(t + 1), momentum)`. Both
/// see a patch cut, turned and mirrored alike, with noise and contrast drawn apart. The disagreement is
/// `mean over voxels of ‖p_student - p_teacher‖²`, its weight rises as `exp(-5 (1 - t/T)²)` (Yu et al. 2019,
/// arXiv:1907.07034). The teacher is what is validated and saved.
public struct MeanTeacher: Guidance {
    /// The weight of the disagreement when it has risen.
    public var weight: Double
    /// The share of the training over which it rises.
    public var rise: Double
    /// How much of the teacher is kept in a step, once the training is under way.
    public var momentum: Double
    private let average: ModuleAverage
    private let teacher: UNet
    private let areRegions: Bool

    /// A teacher that starts as `student` is.
    public init(
        following student: UNet, weight: Double, rise: Double, momentum: Double, areRegions: Bool, on cpu: CPU
    ) {
        (self.weight, self.rise, self.momentum, self.areRegions) = (weight, rise, momentum, areRegions)
        teacher = student.merged(on: cpu)
        average = ModuleAverage(teacher, following: student)
    }

    /// The teacher.
    public var successor: UNet? { teacher }

    /// The weight after a share of the training.
    public func weight(at progress: Double) -> Double {
        guard progress < rise else { return weight }
        return weight * exp(-5 * pow(1 - progress / rise, 2))
    }

    /// `consistency` of the whole batch.
    public func terms(
        _ outputs: [Tensor], batch: SegmentationBatch, loss: DeepSupervision, progress: Double
    ) -> [LossTerm] {
        guard let view = batch.secondInput(on: outputs[0].cpu) else { return [] }
        let target = teacher(view, outputs: 1, in: .inference)[0]
        let (own, other) =
            areRegions ? (sigmoid(outputs[0]), sigmoid(target)) : (softmax(outputs[0]), softmax(target))
        // The mean over voxels of a sum over channels.
        let value = scale(squaredError(own, target: other.detached), by: Float(own.shape.channels))
        return [LossTerm("consistency", weight: weight(at: progress), value: value)]
    }

    /// The teacher follows.
    public func didUpdate(step: Int) {
        average.follow(momentum: Float(min(1 - 1 / Double(step + 1), momentum)))
    }

    /// The teacher's weights.
    public var state: [String: StoredTensor] { average.state(prefix: "teacher") }

    /// Takes up ``state``.
    public func restore(_ state: SafetensorsFile) throws { try average.restore(state, prefix: "teacher") }
}
