/// What ``PyTorchFile/write(_:to:)`` writes: the values of Python that checkpoints are made of.
public indirect enum PyTorchContent: Sendable {
    /// `None`.
    case none
    /// `True` or `False`.
    case bool(Bool)
    /// An `int`.
    case integer(Int)
    /// A `float`.
    case number(Double)
    /// A `str`.
    case text(String)
    /// A `list`.
    case list([PyTorchContent])
    /// A `tuple`.
    case tuple([PyTorchContent])
    /// A `dict` with its keys in this order.
    case dictionary([(key: String, value: PyTorchContent)])
    /// A `torch.Tensor`. Tensors of one storage have the same numbers, which are written once.
    case tensor(StoredTensor, storage: String)

    /// A list of whole numbers.
    static func integers(_ values: [Int]) -> PyTorchContent { .list(values.map { .integer($0) }) }

    /// A list of numbers.
    static func numbers(_ values: [Double]) -> PyTorchContent { .list(values.map { .number($0) }) }

    /// A list of strings.
    static func texts(_ values: [String]) -> PyTorchContent { .list(values.map { .text($0) }) }
}
