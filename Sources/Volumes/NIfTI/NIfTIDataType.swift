/// The types of voxels that are real numbers, with NIfTI's codes for them.
public enum NIfTIDataType: Int, Hashable, Sendable, CaseIterable {
    /// Unsigned, 8 bits.
    case uint8 = 2
    /// Signed, 16 bits.
    case int16 = 4
    /// Signed, 32 bits.
    case int32 = 8
    /// Floating point, 32 bits.
    case float32 = 16
    /// Floating point, 64 bits.
    case float64 = 64
    /// Signed, 8 bits.
    case int8 = 256
    /// Unsigned, 16 bits.
    case uint16 = 512
    /// Unsigned, 32 bits.
    case uint32 = 768
    /// Signed, 64 bits.
    case int64 = 1024
    /// Unsigned, 64 bits.
    case uint64 = 1280

    /// Bytes per voxel.
    public var size: Int {
        switch self {
        case .uint8, .int8: 1
        case .int16, .uint16: 2
        case .int32, .uint32, .float32: 4
        case .float64, .int64, .uint64: 8
        }
    }

    /// Reads `result.count` voxels from `bytes` and scales them: `slope * stored + intercept`, in double precision.
    func decode(
        _ bytes: UnsafeRawBufferPointer, isBigEndian: Bool, slope: Double, intercept: Double,
        into result: UnsafeMutableBufferPointer<Float>
    ) {
        let scale = (slope, intercept)
        switch self {
        case .uint8: Self.decode(bytes, scale, result) { (raw: UInt8) in Double(raw) }
        case .int8: Self.decode(bytes, scale, result) { (raw: UInt8) in Double(Int8(bitPattern: raw)) }
        case .int16:
            Self.decode(bytes, scale, result) { (raw: UInt16) in Double(Int16(bitPattern: raw.ordered(isBigEndian))) }
        case .uint16: Self.decode(bytes, scale, result) { (raw: UInt16) in Double(raw.ordered(isBigEndian)) }
        case .int32:
            Self.decode(bytes, scale, result) { (raw: UInt32) in Double(Int32(bitPattern: raw.ordered(isBigEndian))) }
        case .uint32: Self.decode(bytes, scale, result) { (raw: UInt32) in Double(raw.ordered(isBigEndian)) }
        case .float32:
            Self.decode(bytes, scale, result) { (raw: UInt32) in Double(Float(bitPattern: raw.ordered(isBigEndian))) }
        case .int64:
            Self.decode(bytes, scale, result) { (raw: UInt64) in Double(Int64(bitPattern: raw.ordered(isBigEndian))) }
        case .uint64: Self.decode(bytes, scale, result) { (raw: UInt64) in Double(raw.ordered(isBigEndian)) }
        case .float64:
            Self.decode(bytes, scale, result) { (raw: UInt64) in Double(bitPattern: raw.ordered(isBigEndian)) }
        }
    }

    @inline(__always)
    private static func decode<Raw: FixedWidthInteger>(
        _ bytes: UnsafeRawBufferPointer, _ scale: (slope: Double, intercept: Double),
        _ result: UnsafeMutableBufferPointer<Float>, _ value: (Raw) -> Double
    ) {
        guard let source = bytes.baseAddress, let target = result.baseAddress else { return }
        for index in 0..<result.count {
            let raw = source.loadUnaligned(fromByteOffset: index * MemoryLayout<Raw>.size, as: Raw.self)
            target[index] = Float(value(raw) * scale.slope + scale.intercept)
        }
    }
}

extension FixedWidthInteger {
    @inline(__always)
    fileprivate func ordered(_ isBigEndian: Bool) -> Self { isBigEndian ? byteSwapped : self }
}
