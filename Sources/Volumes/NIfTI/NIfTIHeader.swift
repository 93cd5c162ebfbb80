import Foundation
import Tensors

/// The validated header of a NIfTI file: where its voxels are, what they mean, and the bytes to write the same geometry
/// again.
///
/// Nothing in a header is believed before it was checked: sizes multiply without overflow, types are known, offsets lie
/// behind the header, the transform is finite and invertible.
public struct NIfTIHeader: Hashable, Sendable {
    /// 1 or 2.
    public var version: Int { fields.version.rawValue }
    /// Whether the file's numbers have the most significant byte first.
    public var isBigEndian: Bool { fields.isBigEndian }
    /// The type of the stored voxels.
    public let dataType: NIfTIDataType
    /// The number of images of the grid's extent, one after the other: the fourth axis.
    public let channels: Int
    /// Voxels and their place.
    public let geometry: Geometry
    /// Which of the header's fields gave the affine.
    public let affineSource: AffineSource
    /// Stored values are multiplied by this; 1 if the header does not scale.
    public let slope: Double
    /// Added after scaling; 0 if the header does not scale.
    public let intercept: Double
    /// Whether the voxels are in an `.img` file of their own.
    public let isPair: Bool
    /// The position of the first voxel in its file, in bytes.
    public let voxelOffset: Int

    let fields: NIfTIFields

    /// The three ways by which a NIfTI header places its voxels, best first.
    public enum AffineSource: String, Hashable, Sendable {
        /// A matrix.
        case sform
        /// A rotation, a shift and the voxel size.
        case qform
        /// The voxel size alone: aligned with the patient, first voxel at the origin.
        case pixdim
    }

    /// The number of bytes that the voxels take.
    public var voxelBytes: Int { geometry.extent.volume * channels * dataType.size }

    /// Checks a header. Its free text (`descrip`, `aux_file`, `intent_name`, `db_name`) is forgotten: stores and predictions
    /// keep headers, and must not keep names.
    ///
    /// - Parameters:
    ///   - bytes: the first 348 (or 540) bytes of the file; fewer if the file is shorter.
    ///   - path: the file, to name in errors.
    public init(bytes: [UInt8], path: String) throws {
        if bytes.isEmpty { throw NIfTIError(.truncated, path: path, "the file is empty; copy it again") }
        if bytes.count >= 2, bytes[0] == 0x1f, bytes[1] == 0x8b {
            throw NIfTIError(.badMagic, path: path, "the file is gzip-compressed; rename it to end in .gz")
        }
        guard bytes.count >= 4 else {
            throw NIfTIError(.truncated, path: path, "the file ends after \(bytes.count) bytes; copy it again")
        }
        guard let whole = NIfTIFields(bytes: bytes) else {
            throw NIfTIError(
                .badMagic, path: path, "not a NIfTI file: its first bytes state no header size (348 or 540)")
        }
        let size = whole.version.headerSize
        guard bytes.count >= size else {
            throw NIfTIError(
                .truncated, path: path,
                "the file ends inside its header (\(bytes.count) of \(size) bytes); copy it again")
        }
        guard var fields = NIfTIFields(bytes: Array(bytes[..<size])), fields.magic.isValid else {
            throw NIfTIError(
                .badMagic, path: path,
                "not a NIfTI file: no magic number in the header (ANALYZE files have none; convert them to NIfTI first)"
            )
        }
        fields.removeText()
        self.fields = fields
        isPair = fields.magic.isPair
        let dimensions = try Self.dimensions(fields, path: path)
        channels = dimensions[3]
        dataType = try Self.dataType(fields, path: path)
        try Self.checkSize(dimensions, dataType, path: path)
        voxelOffset = try Self.offset(fields, isPair: isPair, path: path)
        let (affine, source) = try Self.affine(fields, dimensions: dimensions, path: path)
        guard (0..<3).allSatisfy({ Self.plausibleSpacingMM.contains(affine.spacingMM[$0]) }) else {
            throw NIfTIError(
                .badSpacing, path: path,
                "voxels of \((0..<3).map { "\(affine.spacingMM[$0])" }.joined(separator: " x ")) mm are not those of an image; check "
                    + "sform, pixdim and the unit in xyzt_units")
        }
        geometry = Geometry(fileDimensions: Array(dimensions[..<3]), affine: affine)
        affineSource = source
        (slope, intercept) = try Self.scaling(fields, path: path)
    }

    /// The sizes along i, j, k and time; 1 where the header has no such axis.
    private static func dimensions(_ fields: NIfTIFields, path: String) throws -> [Int] {
        let count = fields.integer(.dimensions)
        guard (1...7).contains(count) else {
            throw NIfTIError(.badDimensions, path: path, "the header states \(count) axes; an image has 1 to 7")
        }
        let sizes = (1...count).map { fields.integer(.dimensions, $0) }
        guard sizes.allSatisfy({ $0 > 0 }) else {
            throw NIfTIError(
                .badDimensions, path: path, "the header states the dimensions \(sizes); each must be positive")
        }
        guard sizes.dropFirst(4).allSatisfy({ $0 == 1 }) else {
            throw NIfTIError(
                .badDimensions, path: path,
                "the image has the dimensions \(sizes); at most four axes can be read, split it into channels")
        }
        return Array((sizes + [1, 1, 1]).prefix(4))
    }

    private static func dataType(_ fields: NIfTIFields, path: String) throws -> NIfTIDataType {
        let code = fields.integer(.datatype)
        guard let type = NIfTIDataType(rawValue: code) else {
            let name = [
                1: "bits", 32: "complex numbers", 128: "RGB colours", 1792: "complex numbers", 2304: "RGBA colours",
            ]
            throw NIfTIError(
                .unsupportedType, path: path,
                "the voxels have type \(code) (\(name[code] ?? "unknown")); convert the image to integers or floats")
        }
        let bits = fields.integer(.bitsPerVoxel)
        guard bits == 8 * type.size else {
            throw NIfTIError(
                .unsupportedType, path: path,
                "the header states type \(type) with \(bits) bits per voxel instead of \(8 * type.size); the header is damaged"
            )
        }
        return type
    }

    /// Refuses sizes whose number of bytes, stored or as floats, does not fit an Int.
    private static func checkSize(_ dimensions: [Int], _ type: NIfTIDataType, path: String) throws {
        var bytes = max(type.size, MemoryLayout<Float>.size)
        for size in dimensions {
            let (product, overflow) = bytes.multipliedReportingOverflow(by: size)
            if overflow {
                throw NIfTIError(
                    .badDimensions, path: path, "the header states \(dimensions) voxels, more than any machine can hold"
                )
            }
            bytes = product
        }
    }

    private static func offset(_ fields: NIfTIFields, isPair: Bool, path: String) throws -> Int {
        let offset = fields.number(.offset)
        let earliest = isPair ? 0 : fields.version.earliestOffset
        guard offset.isFinite, offset == offset.rounded(), offset >= Double(earliest), offset < 0x1p53 else {
            throw NIfTIError(
                .badOffset, path: path,
                "the header places the voxels at byte \(offset); it must be a whole number from \(earliest) on")
        }
        return Int(offset)
    }

    /// Slope and intercept; a slope that is zero or not a number means that the voxels are stored as they are.
    private static func scaling(_ fields: NIfTIFields, path: String) throws -> (slope: Double, intercept: Double) {
        let (slope, intercept) = (fields.number(.slope), fields.number(.intercept))
        if slope == 0 || slope.isNaN { return (1, 0) }
        guard slope.isFinite, intercept.isFinite else {
            throw NIfTIError(
                .badScaling, path: path,
                "the header scales intensities by \(slope) and adds \(intercept); set scl_slope and scl_inter to numbers"
            )
        }
        return (slope, intercept)
    }
}

extension NIfTIHeader: Codable {
    /// Reads the header's bytes and checks them again.
    public init(from decoder: any Decoder) throws {
        let bytes = try decoder.singleValueContainer().decode(Data.self)
        try self.init(bytes: Array(bytes), path: "a stored NIfTI header")
    }

    /// Stores the header's bytes.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(Data(fields.bytes))
    }
}
