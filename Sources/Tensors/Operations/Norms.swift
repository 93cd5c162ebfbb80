/// Instance norm, optionally followed by a residual addition and a leaky ReLU in the same pass:
/// `y = a((x - mean) / sqrt(variance + epsilon) * weight + bias + residual)`.
///
/// Mean and biased variance are those of the visible voxels of each sample and channel; hidden ones are left out.
/// Without gradients the result takes up the memory of a map that is handed over and that nobody else holds.
/// Ulyanov, Vedaldi, Lempitsky 2016, arXiv:1607.08022.
/// - Parameters:
///   - x: `[N, D, H, W, C]`.
///   - weight: `[C]`, or `nil` for ones.
///   - bias: `[C]`, or `nil` for zeros.
///   - slope: of the activation for negative values; 1 for no activation.
///   - residual: a map like `x` to add before the activation.
public func instanceNorm(
    _ x: consuming Tensor, weight: Tensor?, bias: Tensor?, epsilon: Double, slope: Float = 1,
    residual: consuming Tensor? = nil
) -> Tensor {
    Normalization(pool: .groups(channelsPerGroup: 1), epsilon: epsilon, slope: slope)
        .apply(x, weight: weight, bias: bias, residual: residual).output
}

/// Group norm: like ``instanceNorm(_:weight:bias:epsilon:slope:residual:)``, with statistics shared by `C / groups`
/// consecutive channels. Wu and He 2018, arXiv:1803.08494.
public func groupNorm(_ x: consuming Tensor, groups: Int, weight: Tensor?, bias: Tensor?, epsilon: Double) -> Tensor {
    check(x.shape.channels % groups == 0, "\(groups) groups do not divide \(x.shape.channels) channels")
    return Normalization(pool: .groups(channelsPerGroup: x.shape.channels / groups), epsilon: epsilon, slope: 1)
        .apply(x, weight: weight, bias: bias, residual: nil).output
}

/// Mean and variance per channel that batch norm carries from training to inference.
public struct RunningStatistics: Sendable, Equatable {
    /// `[C]`.
    public var mean: [Float]
    /// `[C]`, from the unbiased variances of the batches.
    public var variance: [Float]

    /// Statistics to start from.
    public init(mean: [Float], variance: [Float]) { (self.mean, self.variance) = (mean, variance) }
}

/// Batch norm. In training, statistics are those of the batch and `running` becomes `(1 - momentum) running + momentum
/// batch`, with the unbiased variance; in inference `running` normalizes. Ioffe and Szegedy 2015, arXiv:1502.03167.
public func batchNorm(
    _ x: consuming Tensor, weight: Tensor?, bias: Tensor?, running: inout RunningStatistics, momentum: Double,
    epsilon: Double, in phase: Phase
) -> Tensor {
    var normalization = Normalization(pool: .batch, epsilon: epsilon, slope: 1)
    if phase == .inference {
        normalization.given = PooledStatistics(
            mean: running.mean, variance: running.variance, samples: x.shape.samples)
    }
    let (output, statistics) = normalization.apply(x, weight: weight, bias: bias, residual: nil)
    if phase != .inference {
        for c in 0..<running.mean.count {
            let unbiased = statistics.variance[c] * statistics.count[c] / max(1, statistics.count[c] - 1)
            running.mean[c] = Float((1 - momentum) * Double(running.mean[c]) + momentum * statistics.mean[c])
            running.variance[c] = Float((1 - momentum) * Double(running.variance[c]) + momentum * unbiased)
        }
    }
    return output
}
