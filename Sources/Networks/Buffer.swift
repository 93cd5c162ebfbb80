import Tensors

/// A tensor that belongs to a network's state, and to its files, but that no gradient changes: running statistics.
public final class Buffer {
    /// The size along each axis.
    public let shape: Shape
    /// Whether files hold whole numbers of 64 bits; else they hold floating point.
    public let isInteger: Bool
    /// The elements.
    public var scalars: [Float] {
        didSet { check(scalars.count == shape.count, "\(scalars.count) numbers for a buffer of shape \(shape)") }
    }

    /// A buffer of equal elements.
    public init(filledWith value: Float, shape: Shape, isInteger: Bool = false) {
        (self.shape, self.isInteger) = (shape, isInteger)
        scalars = [Float](repeating: value, count: shape.count)
    }
}
