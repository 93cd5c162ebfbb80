/// The type of a stored tensor's elements, spelled as in a safetensors header.
public enum ElementType: String, CaseIterable, Sendable, Codable {
    case float64 = "F64"
    case float32 = "F32"
    case float16 = "F16"
    case bfloat16 = "BF16"
    case int64 = "I64"
    case int32 = "I32"
    case int16 = "I16"
    case int8 = "I8"
    case uint8 = "U8"
    case bool = "BOOL"

    /// Bytes that one element takes.
    public var byteCount: Int {
        switch self {
        case .float64, .int64: 8
        case .float32, .int32: 4
        case .float16, .bfloat16, .int16: 2
        case .int8, .uint8, .bool: 1
        }
    }

    /// The bytes of a tensor of this shape; nil where a size is negative or the product is beyond 64 bits.
    func byteCount(of shape: [Int]) -> Int? {
        var bytes = byteCount
        for size in shape {
            let (product, overflow) = bytes.multipliedReportingOverflow(by: size)
            guard size >= 0, !overflow else { return nil }
            bytes = product
        }
        return bytes
    }

    /// True for the four floating-point types.
    public var isFloatingPoint: Bool {
        switch self {
        case .float64, .float32, .float16, .bfloat16: true
        default: false
        }
    }
}

/// A Swift type that a ``StoredTensor`` stores as it lies in memory.
public protocol StoredElement: BitwiseCopyable, Sendable {
    /// The element type under which values are stored.
    static var elementType: ElementType { get }
}

extension Double: StoredElement {
    /// Stored as `float64`.
    public static var elementType: ElementType { .float64 }
}
extension Float: StoredElement {
    /// Stored as `float32`.
    public static var elementType: ElementType { .float32 }
}
extension Float16: StoredElement {
    /// Stored as `float16`.
    public static var elementType: ElementType { .float16 }
}
extension Int64: StoredElement {
    /// Stored as `int64`.
    public static var elementType: ElementType { .int64 }
}
extension Int32: StoredElement {
    /// Stored as `int32`.
    public static var elementType: ElementType { .int32 }
}
extension Int16: StoredElement {
    /// Stored as `int16`.
    public static var elementType: ElementType { .int16 }
}
extension Int8: StoredElement {
    /// Stored as `int8`.
    public static var elementType: ElementType { .int8 }
}
extension UInt8: StoredElement {
    /// Stored as `uint8`.
    public static var elementType: ElementType { .uint8 }
}
extension Bool: StoredElement {
    /// Stored as `bool`.
    public static var elementType: ElementType { .bool }
}
