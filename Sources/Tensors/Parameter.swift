/// Whether a network is being trained (gradients flow to trainable parameters, batch norm uses batch statistics).
public enum Phase: Sendable {
    /// Operations on trainable parameters are recorded.
    case training
    /// Like `training`, but networks keep less and compute it again for the gradients, the same but for the rounding of
    /// sums: whole networks of several samples all but one, see ``recomputedSamples(of:parameters:_:)``; of a single one, and
    /// parts of networks, what lies within residual blocks. Networks with batch norms keep all.
    case recomputing
    /// Like `training`, but what lies within an encoder's residual blocks of full resolution, where most of the memory
    /// goes, is computed again.
    case recomputingFinest
    /// Nothing is recorded.
    case inference
}

/// A learnable tensor of a network.
///
/// In memory it lies as the kernels like it; everything that names it (files, checks against other frameworks) sees
/// PyTorch's layout through ``scalars`` and ``pytorchShape``.
public final class Parameter {
    /// How the memory layout relates to PyTorch's.
    public enum Layout: Sendable {
        /// The same.
        case plain
        /// `[kD, kH, kW, in, out]` in memory; `[out, in, kD, kH, kW]` in files. A transposed convolution is stored as the
        /// convolution it is the adjoint of, whose layouts coincide with PyTorch's `[in, out, kD, kH, kW]`.
        case convolution
    }

    /// The size along each axis in PyTorch's layout.
    public let pytorchShape: Shape
    /// How memory relates to files.
    public let layout: Layout
    /// The value in memory layout.
    public private(set) var value: Tensor
    /// Whether training may change the parameter.
    public var isTrainable = true
    /// What is added to the value wherever the parameter is used; files and optimizers see the value alone.
    public var adapter: LowRankAdapter?

    /// A parameter from its elements in PyTorch's layout. A convolution's shape has 2 to 5 axes: missing spatial axes
    /// count as 1, the depth first.
    public init(pytorchShape: Shape, layout: Layout, scalars: [Float], on cpu: CPU) {
        self.pytorchShape = pytorchShape
        self.layout = layout
        value = Parameter.inMemory(scalars, pytorchShape, layout, cpu)
    }

    /// The value, with its adapter, as an operation's input: recorded on the tape if there is something to train and the
    /// phase is one of training.
    public func tensor(in phase: Phase) -> Tensor {
        let own =
            phase != .inference && isTrainable
            ? Tensor(shape: value.shape, buffer: value.buffer, node: TapeNode(leaf: self)) : value
        guard let adapter else { return own }
        return add(own, adapter.change(of: value.shape, in: phase))
    }

    /// The elements with the adapter's change, in PyTorch's layout.
    public var mergedScalars: [Float] { Parameter.inFiles(tensor(in: .inference), pytorchShape, layout) }

    /// The elements in PyTorch's layout.
    public var scalars: [Float] {
        get { Parameter.inFiles(value, pytorchShape, layout) }
        set { value = Parameter.inMemory(newValue, pytorchShape, layout, value.cpu) }
    }

    /// A tensor in this parameter's memory layout, such as its gradient, in PyTorch's layout.
    public func pytorchScalars(of tensor: Tensor) -> [Float] {
        check(tensor.shape == value.shape, "a tensor \(tensor.shape) is not laid out like the parameter \(value.shape)")
        return Parameter.inFiles(tensor, pytorchShape, layout)
    }

    /// Changes the elements in place, in memory layout. The optimizer's door: no tape may hold the old value.
    public func update(_ body: (UnsafeMutableBufferPointer<Float>) -> Void) {
        body(UnsafeMutableBufferPointer(start: value.pointer, count: value.shape.count))
    }

    private static func inMemory(_ scalars: [Float], _ shape: Shape, _ layout: Layout, _ cpu: CPU) -> Tensor {
        check(scalars.count == shape.count, "\(scalars.count) numbers for a parameter of shape \(shape)")
        guard layout == .convolution else { return Tensor(scalars, shape: shape, on: cpu) }
        let (rows, taps, memoryShape) = convolutionSizes(shape)
        return Tensor(uninitialized: memoryShape, on: cpu) { memory in
            // Files: [out][in][tap]; memory: [tap][in][out].
            let (outputs, inputs) = rows
            for output in 0..<outputs {
                for input in 0..<inputs {
                    for tap in 0..<taps {
                        memory[(tap * inputs + input) * outputs + output] =
                            scalars[(output * inputs + input) * taps + tap]
                    }
                }
            }
        }
    }

    private static func inFiles(_ tensor: Tensor, _ shape: Shape, _ layout: Layout) -> [Float] {
        guard layout == .convolution else { return tensor.scalars }
        let ((outputs, inputs), taps, _) = convolutionSizes(shape)
        return tensor.withScalars { memory in
            [Float](unsafeUninitializedCapacity: memory.count) { scalars, count in
                for output in 0..<outputs {
                    for input in 0..<inputs {
                        for tap in 0..<taps {
                            scalars[(output * inputs + input) * taps + tap] =
                                memory[(tap * inputs + input) * outputs + output]
                        }
                    }
                }
                count = memory.count
            }
        }
    }

    private static func convolutionSizes(_ shape: Shape) -> (rows: (Int, Int), taps: Int, memory: Shape) {
        check((2...5).contains(shape.rank), "a convolution's weight has 2 to 5 axes, got \(shape)")
        let kernel = [Int](repeating: 1, count: 5 - shape.rank) + shape.dimensions[2...]
        return ((shape[0], shape[1]), kernel.reduce(1, *), Shape(kernel + [shape[1], shape[0]]))
    }
}
