import Tensors

/// A transposed convolution whose kernel equals its stride: every input voxel becomes a block of `stride` voxels.
///
/// Parameters: `weight` `[in, out, sD, sH, sW]` (`[in, out, sH, sW]` in a 2D network), `bias` `[out]`.
public struct ConvTranspose3D: ConvolutionLayer {
    /// Kernel and stride.
    public let geometry: ConvGeometry
    /// The kernel.
    public let weight: Parameter
    /// One number per output channel.
    public let bias: Parameter?

    /// A transposed convolution whose parameters are zero until an ``Initializer`` or a file sets them.
    public init(
        inputChannels: Int, outputChannels: Int, stride: Extent3, bias: Bool = true, dimensions: Dimensions = .three,
        on cpu: CPU
    ) {
        geometry = ConvGeometry(kernel: stride, stride: stride, padding: 0)
        weight = Parameter(
            zeros: [inputChannels, outputChannels] + dimensions.spatialSizes(of: stride), layout: .convolution, on: cpu)
        self.bias = bias ? Parameter(zeros: [outputChannels], on: cpu) : nil
    }

    /// - Parameter x: `[N, D, H, W, in]`, dense. The result is `[N, D sD, H sH, W sW, out]`.
    public func callAsFunction(_ x: Tensor, in phase: Phase) -> Tensor {
        convTranspose3D(x, weight: weight.tensor(in: phase), bias: bias?.tensor(in: phase), geometry)
    }

    /// The result with the channels of a skip connection behind its own: `[N, D sD, H sH, W sW, out + C]`.
    ///
    /// - Parameters:
    ///   - x: `[N, D, H, W, in]`, dense.
    ///   - skip: `[N, D sD, H sH, W sW, C]`, dense.
    public func callAsFunction(_ x: Tensor, joining skip: consuming Tensor, in phase: Phase) -> Tensor {
        convTranspose3D(x, weight: weight.tensor(in: phase), bias: bias?.tensor(in: phase), geometry, joining: skip)
    }
}
