import Foundation
import Tensors

/// A tensor as it lies in a file: element type, shape, and its elements as little-endian bytes in row-major order.
///
/// Any rank is allowed: a scalar has shape `[]`, and a shape may contain zeros.
public struct StoredTensor: Hashable, Sendable {
    /// The type of the elements.
    public let elementType: ElementType
    /// The size along each axis, slowest first.
    public let shape: [Int]
    /// The elements. A slice of the file where the tensor was read from one.
    public let bytes: Data

    /// The number of elements; 1 for a scalar.
    public var count: Int { bytes.count / elementType.byteCount }

    /// A tensor of bytes that are already in the stored form.
    /// - Precondition: `bytes` holds exactly the elements of `shape`.
    public init(elementType: ElementType, shape: [Int], bytes: Data) {
        let wanted = shape.reduce(elementType.byteCount, *)
        check(bytes.count == wanted, "\(elementType.rawValue) \(shape) takes \(wanted) bytes, got \(bytes.count)")
        (self.elementType, self.shape, self.bytes) = (elementType, shape, bytes)
    }

    /// A tensor of Swift values, stored under their own type.
    /// - Precondition: `elements` are as many as `shape` says.
    public init<Element: StoredElement>(_ elements: [Element], shape: [Int]) {
        self.init(
            elementType: Element.elementType, shape: shape,
            bytes: elements.withUnsafeBytes { Data($0) })
    }

    /// A tensor of rank 0.
    public init<Element: StoredElement>(scalar: Element) { self.init([scalar], shape: []) }

    /// The elements as they are stored.
    /// - Throws: ``SafetensorsError/wrongElementType(expected:found:)`` if they have another type.
    public func elements<Element: StoredElement>(as type: Element.Type = Element.self) throws -> [Element] {
        guard elementType == Element.elementType else {
            throw SafetensorsError.wrongElementType(expected: Element.elementType.rawValue, found: elementType)
        }
        if Element.self == Bool.self { return bytes.map { $0 != 0 } as! [Element] }
        return copied(as: Element.self)
    }

    /// The elements of a floating-point tensor, rounded to single precision.
    /// - Throws: ``SafetensorsError/wrongElementType(expected:found:)`` for integers and booleans.
    public func floats() throws -> [Float] {
        switch elementType {
        case .float32: copied(as: Float.self)
        case .float64: copied(as: Double.self).map { Float($0) }
        case .float16: copied(as: Float16.self).map { Float($0) }
        case .bfloat16: copied(as: UInt16.self).map { Float(bitPattern: UInt32($0) << 16) }
        default: throw SafetensorsError.wrongElementType(expected: "floating point", found: elementType)
        }
    }

    /// The elements of a tensor of any type, as double precision; a boolean is 0 or 1.
    ///
    /// Only 64-bit integers beyond 2⁵³ are rounded.
    public func doubles() -> [Double] {
        switch elementType {
        case .float64: copied(as: Double.self)
        case .float32: copied(as: Float.self).map { Double($0) }
        case .float16: copied(as: Float16.self).map { Double($0) }
        case .bfloat16: copied(as: UInt16.self).map { Double(Float(bitPattern: UInt32($0) << 16)) }
        case .int64: copied(as: Int64.self).map { Double($0) }
        default: wholeNumbers.map { Double($0) }
        }
    }

    /// The elements of an integer or boolean tensor; a boolean is 0 or 1.
    /// - Throws: ``SafetensorsError/wrongElementType(expected:found:)`` for floating point.
    public func integers() throws -> [Int] {
        guard !elementType.isFloatingPoint else {
            throw SafetensorsError.wrongElementType(expected: "integers", found: elementType)
        }
        return wholeNumbers
    }

    private var wholeNumbers: [Int] {
        switch elementType {
        case .int64: copied(as: Int64.self).map { Int($0) }
        case .int32: copied(as: Int32.self).map { Int($0) }
        case .int16: copied(as: Int16.self).map { Int($0) }
        case .int8: copied(as: Int8.self).map { Int($0) }
        case .uint8: bytes.map { Int($0) }
        case .bool: bytes.map { $0 == 0 ? 0 : 1 }
        case .float64, .float32, .float16, .bfloat16: []
        }
    }

    /// A copy rather than a view: a slice of a file need not be aligned.
    private func copied<Element: BitwiseCopyable>(as type: Element.Type) -> [Element] {
        [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
            _ = bytes.copyBytes(to: UnsafeMutableRawBufferPointer(buffer))
            initialized = count
        }
    }
}
