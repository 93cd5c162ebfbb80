/// A change of a convolution's kernel by few numbers, `W' = W + factor * B A`: LoRA (Hu et al. 2021, arXiv:2106.09685).
///
/// `A` is a convolution with the kernel of `W` to a few channels, `B` a 1x1x1 convolution from these to the channels of
/// `W`. One after the other they are the convolution with the kernel `B A`, so that a single convolution with `W'` computes
/// all three. `B` starts as zero, and with it the change.
public final class LowRankAdapter {
    /// `A`: `[rank, in, kD, kH, kW]`.
    public let down: Parameter
    /// `B`: `[out, rank]`.
    public let up: Parameter
    /// What the product is multiplied with.
    public let factor: Float

    /// An adapter of a convolution's weight.
    /// - Parameters:
    ///   - parameter: the weight, laid out as a convolution.
    ///   - down: the elements of `A`, in PyTorch's order.
    public init(of parameter: Parameter, rank: Int, factor: Float, down: [Float]) {
        check(parameter.layout == .convolution && rank >= 1, "only kernels have low-rank adapters")
        let (cpu, shape) = (parameter.value.cpu, parameter.pytorchShape.dimensions)
        self.down = Parameter(
            pytorchShape: Shape([rank] + shape[1...]), layout: .convolution, scalars: down, on: cpu)
        up = Parameter(
            pytorchShape: [shape[0], rank], layout: .plain, scalars: [Float](repeating: 0, count: shape[0] * rank),
            on: cpu)
        self.factor = factor
    }

    /// The number of learnable scalars.
    public var count: Int { down.pytorchShape.count + up.pytorchShape.count }

    /// `factor * B A` in the memory layout of the weight.
    func change(of shape: Shape, in phase: Phase) -> Tensor {
        let rank = up.pytorchShape[1]
        let rows = down.tensor(in: phase).reshaped(to: [down.pytorchShape.count / rank, rank])
        return scale(rowProducts(rows, up.tensor(in: phase)), by: factor).reshaped(to: shape)
    }
}
