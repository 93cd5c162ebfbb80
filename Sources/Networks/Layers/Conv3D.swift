import Tensors

/// A convolution with zero padding of half the kernel's reach, so that stride 1 keeps the extent.
///
/// Parameters: `weight` `[out, in, kD, kH, kW]` (`[out, in, kH, kW]` in a 2D network), `bias` `[out]`.
public struct Conv3D: ConvolutionLayer {
    /// Kernel, stride, padding and dilation.
    public let geometry: ConvGeometry
    /// The kernel.
    public let weight: Parameter
    /// One number per output channel.
    public let bias: Parameter?

    /// A convolution whose parameters are zero until an ``Initializer`` or a file sets them.
    public init(
        inputChannels: Int, outputChannels: Int, kernel: Extent3, stride: Extent3 = 1, dilation: Extent3 = 1,
        bias: Bool = true, dimensions: Dimensions = .three, on cpu: CPU
    ) {
        geometry = ConvGeometry(kernel: kernel, stride: stride, dilation: dilation)
        weight = Parameter(
            zeros: [outputChannels, inputChannels] + dimensions.spatialSizes(of: kernel), layout: .convolution, on: cpu)
        self.bias = bias ? Parameter(zeros: [outputChannels], on: cpu) : nil
    }

    /// - Parameter x: `[N, D, H, W, in]`; of a masked map, visible voxels only are computed.
    public func callAsFunction(_ x: Tensor, in phase: Phase) -> Tensor {
        conv3D(x, weight: weight.tensor(in: phase), bias: bias?.tensor(in: phase), geometry)
    }
}
