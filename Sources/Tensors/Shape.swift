/// The size of a tensor along each axis, slowest first. Feature maps are `[N, D, H, W, C]`, scalars `[]`.
public struct Shape: Hashable, Sendable, ExpressibleByArrayLiteral, CustomStringConvertible {
    /// The sizes.
    public var dimensions: [Int]

    /// A shape with these sizes, none negative.
    public init(_ dimensions: [Int]) {
        check(dimensions.allSatisfy { $0 >= 0 }, "a shape has no negative size: \(dimensions)")
        self.dimensions = dimensions
    }

    /// `[2, 16, 16, 16, 32]`.
    public init(arrayLiteral elements: Int...) { self.init(elements) }

    /// The shape `[N, D, H, W, C]` of a batch of feature maps.
    public init(samples: Int, extent: Extent3, channels: Int) {
        self.init([samples, extent.depth, extent.height, extent.width, channels])
    }

    /// The number of elements; 1 for a scalar.
    public var count: Int { dimensions.reduce(1, *) }

    /// The number of axes.
    public var rank: Int { dimensions.count }

    /// The size along one axis.
    public subscript(axis: Int) -> Int { dimensions[axis] }

    /// Samples of a feature map `[N, D, H, W, C]`.
    public var samples: Int { featureMap(0) }

    /// Channels of a feature map `[N, D, H, W, C]`.
    public var channels: Int { featureMap(4) }

    /// Depth, height and width of a feature map `[N, D, H, W, C]`.
    public var extent: Extent3 { Extent3(depth: featureMap(1), height: featureMap(2), width: featureMap(3)) }

    /// For example `[2, 16, 16, 16, 32]`.
    public var description: String { "[\(dimensions.map(String.init).joined(separator: ", "))]" }

    private func featureMap(_ axis: Int) -> Int {
        check(rank == 5, "a feature map is [N, D, H, W, C], got \(self)")
        return dimensions[axis]
    }
}
