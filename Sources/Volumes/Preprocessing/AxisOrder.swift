import Tensors

/// A new order of a volume's axes: axis a of the result is axis `order[a]` of the original, as NumPy's `transpose` has it.
public struct AxisOrder: Sendable, Hashable, Codable, ExpressibleByArrayLiteral, CustomStringConvertible {
    /// A permutation of 0 (depth), 1 (height) and 2 (width).
    public let order: [Int]

    /// - Precondition: `order` is a permutation of 0, 1, 2.
    public init(_ order: [Int]) {
        check(order.sorted() == [0, 1, 2], "an order of axes is a permutation of 0, 1 and 2, got \(order)")
        self.order = order
    }

    /// `[0, 1, 2]` changes nothing.
    public init(arrayLiteral elements: Int...) { self.init(elements) }

    /// Refuses stored orders that are no permutation.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let order = try container.decode([Int].self)
        guard order.sorted() == [0, 1, 2] else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "\(order) is no permutation of 0, 1 and 2")
        }
        self.order = order
    }

    /// A list of three numbers.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(order)
    }

    /// The order that undoes this one.
    public var inverse: AxisOrder { AxisOrder((0..<3).map { order.firstIndex(of: $0)! }) }

    /// Whether nothing changes.
    public var isIdentity: Bool { order == [0, 1, 2] }

    /// For example `[2, 0, 1]`.
    public var description: String { "\(order)" }

    /// Three values per axis (such as spacings), reordered.
    public func callAsFunction<Value>(_ values: [Value]) -> [Value] { order.map { values[$0] } }

    /// An extent, reordered.
    public func callAsFunction(_ extent: Extent3) -> Extent3 { Extent3(dimensions: self(extent.dimensions)) }

    /// A box, reordered.
    public func callAsFunction(_ box: VoxelBox) -> VoxelBox {
        let ranges = self((0..<3).map { box[$0] })
        return VoxelBox(depth: ranges[0], height: ranges[1], width: ranges[2])
    }

    /// One or more volumes `[..., D, H, W]`, one after the other, each with its axes reordered.
    public func callAsFunction<Element: BitwiseCopyable & Sendable>(
        _ values: [Element], extent: Extent3, on cpu: CPU
    ) -> [Element] {
        guard !isIdentity else { return values }
        let size = self(extent)
        let strides = self([extent.height * extent.width, extent.width, 1])
        let volumes = values.count / extent.volume
        return [Element](unsafeUninitializedCapacity: values.count) { result, initialized in
            values.withUnsafeBufferPointer { values in
                nonisolated(unsafe) let (values, result) = (values, result)
                cpu.forEach(volumes * size.depth) { slice in
                    let source = slice / size.depth * extent.volume + slice % size.depth * strides[0]
                    var target = slice * size.height * size.width
                    for height in 0..<size.height {
                        for width in 0..<size.width {
                            result[target] = values[source + height * strides[1] + width * strides[2]]
                            target += 1
                        }
                    }
                }
            }
            initialized = values.count
        }
    }
}
