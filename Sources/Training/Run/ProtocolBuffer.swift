/// A message of Google's Protocol Buffers, written field by field (wire types 0, 1, 2 and 5).
struct ProtocolBuffer {
    /// The message so far.
    private(set) var bytes: [UInt8] = []

    mutating func add(integer: UInt64, field: UInt8) {
        bytes.append(Self.integerKey(field: field))
        appendVariableLength(integer)
    }

    mutating func add(double: Double, field: UInt8) {
        bytes.append(field << 3 | 1)
        withUnsafeBytes(of: double.bitPattern.littleEndian) { bytes += $0 }
    }

    mutating func add(float: Float, field: UInt8) {
        bytes.append(field << 3 | 5)
        withUnsafeBytes(of: float.bitPattern.littleEndian) { bytes += $0 }
    }

    /// A text, or a message within this one.
    mutating func add(bytes content: [UInt8], field: UInt8) {
        bytes.append(field << 3 | 2)
        appendVariableLength(UInt64(content.count))
        bytes += content
    }

    /// What stands before an integer.
    static func integerKey(field: UInt8) -> UInt8 { field << 3 }

    /// Seven bits in each byte, the lowest first; the eighth says that more follow.
    private mutating func appendVariableLength(_ number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
