/// The bytes of a NIfTI header, read and written field by field: either version, either byte order.
struct NIfTIFields: Hashable, Sendable {
    enum Version: Int, Hashable, Sendable {
        case one = 1
        case two = 2

        /// The length of the header in bytes.
        var headerSize: Int { self == .one ? 348 : 540 }
        /// Where voxels may start at the earliest in a file that also holds the header: after four bytes that announce extensions.
        var earliestOffset: Int { headerSize + 4 }
        /// The largest size of an axis that the version can express.
        var largestAxis: Int { self == .one ? Int(Int16.max) : Int.max }
    }

    /// A field of the header: where it starts and the type of its elements, in each version.
    struct Field {
        enum Element: Int {
            case int8, int16, int32, int64, float32, float64
            var size: Int { [1, 2, 4, 8, 4, 8][rawValue] }
        }
        let one: (offset: Int, element: Element)
        let two: (offset: Int, element: Element)

        static let dimensions = Field(one: (40, .int16), two: (16, .int64))
        static let datatype = Field(one: (70, .int16), two: (12, .int16))
        static let bitsPerVoxel = Field(one: (72, .int16), two: (14, .int16))
        static let voxelSize = Field(one: (76, .float32), two: (104, .float64))
        static let offset = Field(one: (108, .float32), two: (168, .int64))
        static let slope = Field(one: (112, .float32), two: (176, .float64))
        static let intercept = Field(one: (116, .float32), two: (184, .float64))
        static let units = Field(one: (123, .int8), two: (500, .int32))
        static let qformCode = Field(one: (252, .int16), two: (344, .int32))
        static let sformCode = Field(one: (254, .int16), two: (348, .int32))
        static let quaternion = Field(one: (256, .float32), two: (352, .float64))
        static let quaternionOffset = Field(one: (268, .float32), two: (376, .float64))
        static let sform = Field(one: (280, .float32), two: (400, .float64))
    }

    private(set) var bytes: [UInt8]
    let version: Version
    let isBigEndian: Bool

    /// Takes `bytes` for a header, judging version and byte order by the size that it states in its first four bytes.
    ///
    /// - Returns: nil if that size is neither of the two.
    init?(bytes: [UInt8]) {
        guard bytes.count >= 4 else { return nil }
        let little = bytes[0..<4].reversed().reduce(0) { $0 << 8 | Int($1) }
        let big = bytes[0..<4].reduce(0) { $0 << 8 | Int($1) }
        switch (little, big) {
        case (348, _): (version, isBigEndian) = (.one, false)
        case (540, _): (version, isBigEndian) = (.two, false)
        case (_, 348): (version, isBigEndian) = (.one, true)
        case (_, 540): (version, isBigEndian) = (.two, true)
        default: return nil
        }
        self.bytes = bytes
    }

    /// An empty header: all zero but for its size and its magic number.
    ///
    /// - Parameter isPair: the voxels will be in an `.img` file of their own.
    init(version: Version, isBigEndian: Bool, isPair: Bool) {
        (self.version, self.isBigEndian) = (version, isBigEndian)
        bytes = [UInt8](repeating: 0, count: version.headerSize)
        let size = [UInt8(version.headerSize & 255), UInt8(version.headerSize >> 8), 0, 0]
        bytes.replaceSubrange(0..<4, with: isBigEndian ? size.reversed() : size)
        let kind = UInt8(ascii: isPair ? "i" : "+")
        switch version {
        case .one: bytes.replaceSubrange(344..<348, with: [UInt8(ascii: "n"), kind, UInt8(ascii: "1"), 0])
        case .two: bytes.replaceSubrange(4..<12, with: [UInt8(ascii: "n"), kind, UInt8(ascii: "2"), 0, 13, 10, 26, 10])
        }
    }

    /// Whether the magic number names a NIfTI file, and whether its voxels are in a file of their own.
    var magic: (isValid: Bool, isPair: Bool) {
        let found = version == .one ? bytes[344..<348] : bytes[4..<12]
        let one = NIfTIFields(version: version, isBigEndian: isBigEndian, isPair: false)
        let pair = NIfTIFields(version: version, isBigEndian: isBigEndian, isPair: true)
        let range = found.startIndex..<found.endIndex
        return (found == one.bytes[range] || found == pair.bytes[range], found == pair.bytes[range])
    }

    /// The element `index` of an integer field. Floating-point fields are read by ``number(_:_:)``.
    func integer(_ field: Field, _ index: Int = 0) -> Int {
        let (raw, element) = raw(field, index)
        return switch element {
        case .int8: Int(Int8(truncatingIfNeeded: raw))
        case .int16: Int(Int16(truncatingIfNeeded: raw))
        case .int32: Int(Int32(truncatingIfNeeded: raw))
        case .int64: Int(truncatingIfNeeded: raw)
        case .float32, .float64: fatalError("not an integer field")
        }
    }

    /// The element `index` of a field of either kind.
    func number(_ field: Field, _ index: Int = 0) -> Double {
        let (raw, element) = raw(field, index)
        return switch element {
        case .float32: Double(Float(bitPattern: UInt32(truncatingIfNeeded: raw)))
        case .float64: Double(bitPattern: raw)
        default: Double(integer(field, index))
        }
    }

    /// Sets the element `index` of a field; integers must fit.
    mutating func set(_ field: Field, _ index: Int = 0, to value: Double) {
        let (offset, element) = version == .one ? field.one : field.two
        let raw: UInt64 =
            switch element {
            case .float32: UInt64(Float(value).bitPattern)
            case .float64: value.bitPattern
            default: UInt64(bitPattern: Int64(value))
            }
        for byte in 0..<element.size {
            let shift = isBigEndian ? element.size - 1 - byte : byte
            bytes[offset + index * element.size + byte] = UInt8(truncatingIfNeeded: raw >> UInt64(8 * shift))
        }
    }

    /// Copies what places the voxels in the patient: voxel sizes, units, both transforms and their codes.
    mutating func copyGeometry(from other: NIfTIFields) {
        let ranges =
            version == .one
            ? [39..<40, 76..<108, 123..<124, 252..<328]  // dim_info, pixdim, xyzt_units, qform_code...srow_z
            : [104..<168, 344..<496, 500..<504, 524..<525]  // pixdim, qform_code...srow_z, xyzt_units, dim_info
        for range in ranges { bytes.replaceSubrange(range, with: other.bytes[range]) }
    }

    /// Blanks the text that people and scanners write: it may name the patient, and nothing here needs it.
    mutating func removeText() {
        let ranges =
            version == .one
            ? [4..<32, 148..<252, 328..<344]  // data_type, db_name; descrip, aux_file; intent_name
            : [240..<344, 508..<524, 525..<540]  // descrip, aux_file; intent_name; unused_str
        for range in ranges { bytes.replaceSubrange(range, with: repeatElement(0, count: range.count)) }
    }

    private func raw(_ field: Field, _ index: Int) -> (UInt64, Field.Element) {
        let (offset, element) = version == .one ? field.one : field.two
        let start = offset + index * element.size
        let little = (0..<element.size).reduce(UInt64(0)) { sum, byte in
            let shift = isBigEndian ? element.size - 1 - byte : byte
            return sum | UInt64(bytes[start + byte]) << UInt64(8 * shift)
        }
        return (little, element)
    }
}
