import CKernels

/// How the voxels of a convolution's output see its input: kernel, stride, zero padding and dilation per axis.
public struct ConvGeometry: Hashable, Sendable {
    /// Taps along each axis.
    public var kernel: Extent3
    /// Input voxels between neighbouring output voxels.
    public var stride: Extent3
    /// Zeros before and after the input.
    public var padding: Extent3
    /// Input voxels between neighbouring taps.
    public var dilation: Extent3

    /// - Parameter padding: by default `dilation * (kernel - 1) / 2`: with stride 1 and odd kernels the extent stays.
    public init(kernel: Extent3, stride: Extent3 = 1, padding: Extent3? = nil, dilation: Extent3 = 1) {
        for axis in 0..<3 {
            check(
                kernel[axis] > 0 && stride[axis] > 0 && dilation[axis] > 0 && padding?[axis] ?? 0 >= 0,
                "kernel \(kernel), stride \(stride) and dilation \(dilation) must be positive")
        }
        self.kernel = kernel
        self.stride = stride
        self.dilation = dilation
        self.padding = padding ?? kernel.zipped(with: dilation) { $1 * ($0 - 1) / 2 }
    }

    /// The output's extent per axis: `floor((input + 2 padding - dilation (kernel - 1) - 1) / stride) + 1`.
    public func outputExtent(of input: Extent3) -> Extent3 {
        var output = input
        for axis in 0..<3 {
            let reach = dilation[axis] * (kernel[axis] - 1) + 1
            let room = input[axis] + 2 * padding[axis] - reach
            check(room >= 0, "a kernel that reaches \(reach) voxels does not fit \(input) padded by \(padding)")
            output[axis] = room / stride[axis] + 1
        }
        return output
    }

    /// The extent of a transposed convolution's output: `(input - 1) stride - 2 padding + dilation (kernel - 1) +
    /// outputPadding + 1`.
    public func transposedExtent(of input: Extent3, outputPadding: Extent3) -> Extent3 {
        var output = input
        for axis in 0..<3 {
            output[axis] =
                (input[axis] - 1) * stride[axis] - 2 * padding[axis] + dilation[axis] * (kernel[axis] - 1)
                + outputPadding[axis] + 1
        }
        return output
    }

    /// The geometry as the kernels read it: how `pixels` gather from `source`.
    func gathering(source: Extent3, pixels: Extent3, transposed: Bool) -> ws_geometry {
        ws_geometry(
            source: source.words, pixels: pixels.words, kernel: kernel.words, stride: stride.words,
            padding: padding.words, dilation: dilation.words, transposed: transposed ? 1 : 0)
    }
}

extension Extent3 {
    /// As the kernels read it.
    var words: (Int32, Int32, Int32) { (Int32(depth), Int32(height), Int32(width)) }
}
