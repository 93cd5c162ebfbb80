/// Numbers of voxels (or a kernel's, stride's or padding's reach) along the depth, height and width of a volume.
public struct Extent3: Hashable, Sendable, Codable, ExpressibleByIntegerLiteral, CustomStringConvertible {
    /// Voxels along the first spatial axis, the slowest in memory.
    public var depth: Int
    /// Voxels along the second spatial axis.
    public var height: Int
    /// Voxels along the third spatial axis, the fastest in memory.
    public var width: Int

    /// An extent with its own size along each axis.
    public init(depth: Int, height: Int, width: Int) {
        (self.depth, self.height, self.width) = (depth, height, width)
    }

    /// A cube of `edge` voxels.
    public init(_ edge: Int) { self.init(depth: edge, height: edge, width: edge) }

    /// A cube: `let kernel: Extent3 = 3`.
    public init(integerLiteral edge: Int) { self.init(edge) }

    /// The extent whose axes are the three elements of `dimensions`, in the order depth, height, width.
    /// - Precondition: `dimensions` has three elements.
    public init(dimensions: [Int]) {
        check(dimensions.count == 3, "Extent3 wants depth, height and width, got \(dimensions)")
        self.init(depth: dimensions[0], height: dimensions[1], width: dimensions[2])
    }

    /// Depth, height, width.
    public var dimensions: [Int] { [depth, height, width] }

    /// The number of voxels.
    public var volume: Int { depth * height * width }

    /// The size along axis 0 (depth), 1 (height) or 2 (width).
    public subscript(axis: Int) -> Int {
        get {
            switch axis {
            case 0: depth
            case 1: height
            case 2: width
            default: fatalError("Extent3 has the axes 0, 1 and 2, not \(axis)")
            }
        }
        set {
            switch axis {
            case 0: depth = newValue
            case 1: height = newValue
            case 2: width = newValue
            default: fatalError("Extent3 has the axes 0, 1 and 2, not \(axis)")
            }
        }
    }

    /// The index of a row's first voxel in a batch of maps of this extent.
    func row(_ sample: Int, _ depth: Int, _ height: Int) -> Int {
        ((sample * self.depth + depth) * self.height + height) * width
    }

    /// The extent whose axes are `combine` of the axes of two extents.
    public func zipped(with other: Extent3, _ combine: (Int, Int) -> Int) -> Extent3 {
        Extent3(
            depth: combine(depth, other.depth), height: combine(height, other.height),
            width: combine(width, other.width))
    }

    /// For example `96x96x64`.
    public var description: String { "\(depth)x\(height)x\(width)" }
}
