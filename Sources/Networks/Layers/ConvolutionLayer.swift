import Tensors

/// A layer with a kernel and perhaps a bias: what an ``Initializer`` draws.
public protocol ConvolutionLayer: Module {
    /// The kernel.
    var weight: Parameter { get }
    /// One number per output channel.
    var bias: Parameter? { get }
}

extension ConvolutionLayer {
    /// `weight` and, if there is one, `bias`.
    public var members: [Member] {
        [.parameter("weight", weight)] + (bias.map { [.parameter("bias", $0)] } ?? [])
    }

    /// PyTorch's fan-in, `shape[1] * kernel volume` of the stored weight: the inputs of one output value. Of a transposed
    /// convolution, stored `[in, out, ...]`, it counts the outputs.
    var fanIn: Int { weight.pytorchShape.count / weight.pytorchShape[0] }
}

/// Whether a network sees volumes or slices. A slice is a volume of depth 1; only the shapes of stored weights differ.
public enum Dimensions: Int, Codable, Sendable {
    /// Slices: stored kernels have no depth axis.
    case two = 2
    /// Volumes.
    case three = 3

    /// The axes of a kernel that stored weights have.
    func spatialSizes(of kernel: Extent3) -> [Int] { Array(kernel.dimensions.suffix(rawValue)) }
}

extension Parameter {
    convenience init(zeros shape: [Int], layout: Layout = .plain, on cpu: CPU) {
        let shape = Shape(shape)
        self.init(pytorchShape: shape, layout: layout, scalars: [Float](repeating: 0, count: shape.count), on: cpu)
    }
}
