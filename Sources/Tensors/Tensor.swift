/// An array of 32-bit floats with a shape, contiguous, the last axis fastest. Feature maps are `[N, D, H, W, C]`.
///
/// A tensor is a value: no operation changes it. A tensor that descends from a trainable ``Parameter`` remembers how it
/// was computed, so that ``backward()`` can differentiate it. A feature map may be masked: ``visibility`` tells which of
/// its blocks are visible, and all its hidden voxels are zero.
///
/// Operations neither write nor read hidden voxels: their memory holds anything until somebody reads the whole map.
public struct Tensor {
    /// The size along each axis.
    public let shape: Shape
    /// Which blocks of this feature map are visible; `nil` if all are.
    public let visibility: BlockMask?
    /// What is known of this dense map where blocks were hidden.
    let filling: Filling?
    private(set) var buffer: Buffer
    let node: TapeNode?

    init(
        shape: Shape, buffer: Buffer, visibility: BlockMask? = nil, filling: Filling? = nil, node: TapeNode? = nil
    ) {
        self.shape = shape
        self.buffer = buffer
        self.visibility = visibility
        self.filling = filling
        self.node = node
    }

    /// A tensor whose content `initialize` writes completely.
    public init(
        uninitialized shape: Shape, on cpu: CPU,
        initializingWith initialize: (UnsafeMutableBufferPointer<Float>) -> Void
    ) {
        self.init(shape: shape, buffer: Buffer(count: shape.count, on: cpu))
        initialize(UnsafeMutableBufferPointer(start: pointer, count: shape.count))
    }

    /// A tensor with these elements, last axis fastest.
    public init(_ scalars: [Float], shape: Shape, on cpu: CPU) {
        check(scalars.count == shape.count, "\(scalars.count) numbers do not fill a tensor of shape \(shape)")
        self.init(uninitialized: shape, on: cpu) { _ = $0.initialize(from: scalars) }
    }

    /// A tensor of equal elements.
    public init(filledWith value: Float, shape: Shape, on cpu: CPU) {
        self.init(uninitialized: shape, on: cpu) { $0.initialize(repeating: value) }
    }

    /// A tensor of zeros.
    public init(zeros shape: Shape, on cpu: CPU) { self.init(filledWith: 0, shape: shape, on: cpu) }

    /// Where the tensor lives.
    public var cpu: CPU { buffer.cpu }

    /// The elements, last axis fastest.
    public var scalars: [Float] { withScalars(Array.init) }

    /// Gives `body` the elements without a copy.
    public func withScalars<Result>(_ body: (UnsafeBufferPointer<Float>) throws -> Result) rethrows -> Result {
        clearHidden()
        return try withExtendedLifetime(buffer) { try body(UnsafeBufferPointer(start: pointer, count: shape.count)) }
    }

    /// The only element of a tensor that has one.
    public var item: Float {
        check(shape.count == 1, "item wants a tensor of one element, got \(shape)")
        return pointer.pointee
    }

    /// The same elements under another shape of equal count.
    public func reshaped(to shape: Shape) -> Tensor {
        check(shape.count == self.shape.count, "\(self.shape) cannot be reshaped to \(shape)")
        check(visibility == nil, "a masked map cannot be reshaped: fill the hidden voxels first")
        return Tensor(shape: shape, buffer: buffer).recorded(from: [self]) { [old = self.shape] gradient in
            [gradient.reshaped(to: old)]
        }
    }

    /// The same elements, without the memory of how they were computed.
    public var detached: Tensor { Tensor(shape: shape, buffer: buffer, visibility: visibility, filling: filling) }

    /// This map, of which so much is known.
    func known(as filling: Filling?) -> Tensor {
        Tensor(shape: shape, buffer: buffer, visibility: visibility, filling: filling, node: node)
    }

    /// Whether nobody else can read the memory, so that an operation may write its result there.
    mutating func isUnshared() -> Bool { isKnownUniquelyReferenced(&buffer) && buffer.remake == nil }

    /// This tensor, of which nothing stays behind but a number: for whoever is to be the only one to hold the memory.
    mutating func moved() -> Tensor {
        defer { buffer = Buffer(count: 0, on: cpu) }
        return self
    }

    var pointer: UnsafeMutablePointer<Float> { buffer.pointer }
    var needsGradient: Bool { node != nil }
}
