import Foundation

extension StoredTensor {
    /// A floating-point tensor rounded to bfloat16, to the nearest, ties to even; others as they are.
    /// - Throws: nothing for floating point of any width.
    public func asBFloat16() throws -> StoredTensor {
        guard elementType.isFloatingPoint, elementType != .bfloat16 else { return self }
        let rounded = try floats().map { value -> UInt16 in
            guard value.isFinite else { return UInt16(value.bitPattern >> 16) | (value.isNaN ? 0x40 : 0) }
            let bits = value.bitPattern
            return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16)
        }
        return StoredTensor(
            elementType: .bfloat16, shape: shape, bytes: rounded.withUnsafeBytes { Data($0) })
    }
}
