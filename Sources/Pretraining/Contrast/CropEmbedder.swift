import Networks
import Tensors

/// An encoder and a head that make one vector of a crop: the mean of every stage's map, side by side, through the head.
///
/// Parts: `encoder` and `projection`.
public struct CropEmbedder: Module {
    /// What is pre-trained.
    public let encoder: any UNetEncoder
    /// From the means of all stages to the embedding.
    public let head: ProjectionHead

    /// An embedder for a network's encoder.
    public init(_ plan: NetworkPlan, head widths: [Int], isNormalized: Bool, on cpu: CPU) {
        encoder = ResEncEncoder(plan, on: cpu)
        head = ProjectionHead([plan.features.reduce(0, +)] + widths, isNormalized: isNormalized, on: cpu)
    }

    /// `encoder` and `projection`.
    public var members: [Member] { [.module("encoder", encoder), .module("projection", head)] }

    /// - Parameter crops: `[N, D, H, W, C]`; the result is `[N, E]`, of any length.
    public func callAsFunction(_ crops: Tensor, in phase: Phase) -> Tensor {
        head(concatenate(encoder(crops, in: phase).map(globalAverage)), in: phase)
    }
}

/// Linear layers with ReLUs between them; before each ReLU a row may be normalized over its features, without scale and shift.
///
/// The original heads normalize over the batch; over features a row does not depend on the others, which matters for the
/// small batches of CPUs. Parts: `layers.I`.
public struct ProjectionHead: Module {
    /// First to last.
    public let layers: [Linear]
    /// Whether rows are normalized before each ReLU.
    public let isNormalized: Bool

    /// A head through `widths[0]`, `widths[1]`, ... features.
    public init(_ widths: [Int], isNormalized: Bool, on cpu: CPU) {
        layers = zip(widths, widths.dropFirst()).map { Linear(inputs: $0, outputs: $1, on: cpu) }
        self.isNormalized = isNormalized
    }

    /// `layers.0`, `layers.1`, ...
    public var members: [Member] { Member.modules("layers", layers) }

    /// - Parameter x: `[N, widths[0]]`; the result is `[N, widths.last]`.
    public func callAsFunction(_ x: Tensor, in phase: Phase) -> Tensor {
        layers.dropFirst().reduce(layers[0](x, in: phase)) { hidden, layer in
            layer(relu(isNormalized ? normalizedRows(hidden) : hidden), in: phase)
        }
    }

    /// Mean 0 and variance 1 over the features of each row.
    private func normalizedRows(_ x: Tensor) -> Tensor {
        let map = x.reshaped(to: Shape(samples: x.shape[0], extent: 1, channels: x.shape[1]))
        return groupNorm(map, groups: 1, weight: nil, bias: nil, epsilon: 1e-5).reshaped(to: x.shape)
    }
}

/// The mean of each channel, `[N, C]`.
func globalAverage(_ map: Tensor) -> Tensor {
    averagePool3D(map, kernel: map.shape.extent, stride: map.shape.extent)
        .reshaped(to: [map.shape.samples, map.shape.channels])
}
