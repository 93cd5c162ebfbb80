import Networks
import Tensors

/// What is asked of the map of one scale: a vector, another that predicts the vectors of other views, and the image.
///
/// Parts: `norm`, `expand`, `expanded_norm`, `contract`, `image`.
public struct ScaleHead: Module {
    private let norm: BatchStatisticsNorm
    private let expand: Linear
    private let expandedNorm: BatchStatisticsNorm
    private let contract: Linear
    private let image: Conv3D

    /// A head on maps of `channels` channels.
    public init(channels: Int, on cpu: CPU) {
        norm = BatchStatisticsNorm(channels: channels, on: cpu)
        expand = Linear(inputs: channels, outputs: 2 * channels, on: cpu)
        expandedNorm = BatchStatisticsNorm(channels: 2 * channels, on: cpu)
        contract = Linear(inputs: 2 * channels, outputs: channels, on: cpu)
        image = Conv3D(inputChannels: channels, outputChannels: 1, kernel: 3, on: cpu)
    }

    /// The layers.
    public var members: [Member] {
        [
            .module("norm", norm), .module("expand", expand), .module("expanded_norm", expandedNorm),
            .module("contract", contract), .module("image", image),
        ]
    }

    /// A vector for each sample and its prediction of others, `[N, C]`.
    public func vectors(of map: Tensor, in phase: Phase) -> (vector: Tensor, prediction: Tensor) {
        let vector = norm(globalAverage(map), in: phase)
        return (vector, contract(relu(expandedNorm(expand(vector, in: phase), in: phase)), in: phase))
    }

    /// The image at full resolution.
    public func image(of map: Tensor, extent: Extent3, in phase: Phase) -> Tensor {
        upsample(image(map, in: phase), to: extent, mode: .trilinear(alignCorners: false))
    }
}

/// Batch norm of rows that always uses the statistics of the batch: heads are dropped after pre-training, so that nobody ever
/// needs running ones.
///
/// Parts: `weight`, `bias`.
struct BatchStatisticsNorm: Module {
    private let weight: Parameter
    private let bias: Parameter

    init(channels: Int, on cpu: CPU) {
        func parameter(_ value: Float) -> Parameter {
            Parameter(
                pytorchShape: [channels], layout: .plain, scalars: [Float](repeating: value, count: channels), on: cpu)
        }
        (weight, bias) = (parameter(1), parameter(0))
    }

    var members: [Member] { [.parameter("weight", weight), .parameter("bias", bias)] }

    func callAsFunction(_ x: Tensor, in phase: Phase) -> Tensor {
        let (rows, channels) = (x.shape[0], x.shape[1])
        var unused = RunningStatistics(
            mean: [Float](repeating: 0, count: channels), variance: [Float](repeating: 1, count: channels))
        return batchNorm(
            x.reshaped(to: Shape(samples: rows, extent: 1, channels: channels)), weight: weight.tensor(in: phase),
            bias: bias.tensor(in: phase), running: &unused, momentum: 0.1, epsilon: 1e-5, in: .training
        ).reshaped(to: x.shape)
    }
}

/// How far two views are from predicting each other: `-1/2 (cos(p_u, z_v) + cos(p_v, z_u))`, the mean over samples, in -1...1.
/// No gradient flows to the vectors z.
public func disagreement(
    _ u: (vector: Tensor, prediction: Tensor), _ v: (vector: Tensor, prediction: Tensor)
) -> Tensor {
    func cosine(_ prediction: Tensor, _ vector: Tensor) -> Tensor {
        scale(
            sum(multiply(unitRows(prediction), unitRows(vector.detached))), by: 1 / Float(vector.shape[0]))
    }
    return scale(add(cosine(u.prediction, v.vector), cosine(v.prediction, u.vector)), by: -0.5)
}
