import Tensors

/// `y = weight x + bias` over the last axis.
///
/// Parameters: `weight` `[out, in]`, `bias` `[out]`.
public struct Linear: ConvolutionLayer {
    /// The matrix.
    public let weight: Parameter
    /// One number per output.
    public let bias: Parameter?

    /// A layer whose parameters are zero until an ``Initializer`` or a file sets them.
    public init(inputs: Int, outputs: Int, bias: Bool = true, on cpu: CPU) {
        weight = Parameter(zeros: [outputs, inputs], layout: .convolution, on: cpu)
        self.bias = bias ? Parameter(zeros: [outputs], on: cpu) : nil
    }

    /// - Parameter x: `[..., in]`; the result is `[..., out]`.
    public func callAsFunction(_ x: Tensor, in phase: Phase) -> Tensor {
        linear(x, weight: weight.tensor(in: phase), bias: bias?.tensor(in: phase))
    }
}
