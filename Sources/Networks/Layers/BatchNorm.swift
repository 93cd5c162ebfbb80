import Tensors

/// Batch norm with a learned scale and shift per channel. Ioffe and Szegedy 2015, arXiv:1502.03167.
///
/// Parameters `weight` and `bias`, buffers `running_mean`, `running_var`, all `[C]`, and the scalar
/// `num_batches_tracked`.
public struct BatchNorm: NormLayer {
    /// Which mean and variance a map is normalized with.
    public enum Statistics: Sendable {
        /// The batch's in training, which also move the running ones; the running ones in inference, and while the norm is
        /// frozen.
        case ofPhase
        /// The running ones, which stay, in training too: for fine-tuning on few samples.
        case running
        /// The batch's, in inference too. Running ones are kept for the files, but never read.
        case batch
        /// Each sample's own, in inference too: what `batch` computes for a single sample, so that no result depends on
        /// what else is in the batch.
        case sample
    }

    /// What stands against computing a batch in parts, as the end of a sentence.
    public static let undividedBecause = "batch norms normalize all samples of a batch together"

    /// Added to the variance.
    static let epsilon = 1e-5
    /// The share of a batch in the running statistics.
    static let momentum = 0.1

    /// The scale per channel.
    public let weight: Parameter
    /// The shift per channel.
    public let bias: Parameter
    /// Mean and variance per channel of the batches so far, and the number of the batches.
    public let runningMean, runningVariance, batchCount: Buffer
    /// Which statistics normalize.
    public let statistics: Statistics

    /// A norm of maps with this many channels.
    public init(channels: Int, statistics: Statistics = .ofPhase, on cpu: CPU) {
        weight = Parameter(
            pytorchShape: [channels], layout: .plain, scalars: [Float](repeating: 1, count: channels), on: cpu)
        bias = Parameter(zeros: [channels], on: cpu)
        runningMean = Buffer(filledWith: 0, shape: [channels])
        runningVariance = Buffer(filledWith: 1, shape: [channels])
        batchCount = Buffer(filledWith: 0, shape: [], isInteger: true)
        self.statistics = statistics
    }

    /// The parameters, then the buffers.
    public var members: [Member] {
        [
            .parameter("weight", weight), .parameter("bias", bias), .buffer("running_mean", runningMean),
            .buffer("running_var", runningVariance), .buffer("num_batches_tracked", batchCount),
        ]
    }

    /// - Parameter x: `[N, D, H, W, C]`, dense.
    public func callAsFunction(_ x: Tensor, in phase: Phase) -> Tensor {
        if statistics == .sample {
            return instanceNorm(
                x, weight: weight.tensor(in: phase), bias: bias.tensor(in: phase), epsilon: Self.epsilon, slope: 1,
                residual: nil)
        }
        let usesBatch =
            statistics == .batch || (statistics == .ofPhase && phase != .inference && weight.isTrainable)
        var running = RunningStatistics(mean: runningMean.scalars, variance: runningVariance.scalars)
        let y = batchNorm(
            x, weight: weight.tensor(in: phase), bias: bias.tensor(in: phase), running: &running,
            momentum: Self.momentum, epsilon: Self.epsilon, in: usesBatch ? .training : .inference)
        if usesBatch && phase != .inference {
            (runningMean.scalars, runningVariance.scalars) = (running.mean, running.variance)
            batchCount.scalars = batchCount.scalars.map { $0 + 1 }
        }
        return y
    }
}

extension Module {
    /// Whether a norm in this module takes statistics over several samples of a batch in training.
    public var normalizesBatches: Bool {
        namedModules.contains { item in
            (item.module as? BatchNorm).map { $0.statistics == .ofPhase || $0.statistics == .batch } ?? false
        }
    }
}
