import Foundation

extension PickleMachine {
    /// The value that an operation spells out.
    mutating func literal(_ operation: PickleOperation) throws -> PickleValue {
        switch operation {
        case .newTrue: .bool(true)
        case .newFalse: .bool(false)
        case .binInt: .integer(Int(try cursor.integer(Int32.self)))
        case .binInt1: .integer(Int(try cursor.byte()))
        case .binInt2: .integer(Int(try cursor.integer(UInt16.self)))
        case .long1: Self.integer(try cursor.take(Int(try cursor.byte())))
        case .long4: Self.integer(try cursor.take(try cursor.count(Int32.self)))
        case .binFloat: .number(Double(bitPattern: UInt64(bigEndian: try cursor.take(8).nativeInteger())))
        case .string: .text(String(decoding: try cursor.line().dropFirst().dropLast(), as: UTF8.self))
        case .shortBinString: try text(count: Int(try cursor.byte()))
        case .binString: try text(count: try cursor.count(Int32.self))
        case .binUnicode: try text(count: try cursor.count(UInt32.self))
        case .shortBinUnicode: try text(count: Int(try cursor.byte()))
        case .binUnicode8: try text(count: try cursor.count(UInt64.self))
        case .shortBinBytes: .bytes(try cursor.take(Int(try cursor.byte())))
        case .binBytes: .bytes(try cursor.take(try cursor.count(UInt32.self)))
        case .binBytes8: .bytes(try cursor.take(try cursor.count(UInt64.self)))
        default: .none
        }
    }

    private mutating func text(count: Int) throws -> PickleValue {
        guard let text = String(validating: try cursor.take(count), as: UTF8.self) else {
            throw Self.bad("a string is no UTF-8")
        }
        try budget.pay(count, for: "the pickle")
        return .text(text)
    }

    /// The number in little-endian bytes of two's complement.
    private static func integer(_ bytes: Data) -> PickleValue {
        guard bytes.count <= 8 else { return .bigInteger(bytes) }
        let isNegative = bytes.last.map { $0 >= 0x80 } ?? false
        return .integer(bytes.reversed().reduce(isNegative ? -1 : 0) { $0 << 8 | Int($1) })
    }
}

extension Data {
    /// The first bytes as an integer in the machine's byte order.
    fileprivate func nativeInteger() -> UInt64 { withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) } }
}
