import Foundation
import Tensors
import WeightFiles

extension NIfTIFile {
    /// Writes an image in single precision: compressed if `path` ends in `.gz`, as a pair if it ends in `.hdr`.
    ///
    /// If the volume carries the header of the file that it was read from and still lies on that file's grid, the voxel
    /// sizes, units and transforms of that header are written unchanged, byte for byte. The file appears as a whole or not
    /// at all.
    /// - Throws: ``NIfTIError`` for an unknown file name ending, `FileError` if the file cannot be written.
    public static func write(_ volume: Volume, to path: String) throws {
        let fields = fields(
            for: volume.geometry, like: volume.header, channels: volume.channels, type: .float32, path: path)
        let isBigEndian = fields.isBigEndian
        let voxels = EncodedVoxels(volume.voxels) { isBigEndian ? $0.bitPattern.byteSwapped : $0.bitPattern }
        try write(fields, voxels, to: path)
    }

    /// Writes a label map, with 8 bits per voxel if the labels fit, else 16. Otherwise as ``write(_:to:)-(Volume,_)``.
    public static func write(_ labels: LabelVolume, to path: String) throws {
        let isSmall = labels.labels.allSatisfy { (0...255).contains($0) }
        let fields = fields(
            for: labels.geometry, like: labels.header, channels: 1, type: isSmall ? .uint8 : .int16, path: path)
        let isBigEndian = fields.isBigEndian
        let voxels =
            isSmall
            ? EncodedVoxels(labels.labels) { UInt8(truncatingIfNeeded: $0) }
            : EncodedVoxels(labels.labels) { isBigEndian ? $0.byteSwapped : $0 }
        try write(fields, voxels, to: path)
    }

    /// The header of a file to write.
    private static func fields(
        for geometry: Geometry, like header: NIfTIHeader?, channels: Int, type: NIfTIDataType, path: String
    ) -> NIfTIFields {
        let sizes = geometry.fileDimensions + (channels > 1 ? [channels] : [])
        let source = header.flatMap { $0.geometry == geometry ? $0.fields : nil }
        let smallest: NIfTIFields.Version = sizes.allSatisfy { $0 <= NIfTIFields.Version.one.largestAxis } ? .one : .two
        let version = source?.version ?? smallest
        let isPair = pairPath(of: path, from: "hdr", to: "img") != nil
        var fields = NIfTIFields(version: version, isBigEndian: source?.isBigEndian ?? false, isPair: isPair)
        fields.set(.dimensions, to: Double(sizes.count))
        for axis in 1...7 { fields.set(.dimensions, axis, to: axis <= sizes.count ? Double(sizes[axis - 1]) : 1) }
        fields.set(.datatype, to: Double(type.rawValue))
        fields.set(.bitsPerVoxel, to: Double(8 * type.size))
        fields.set(.offset, to: isPair ? 0 : Double(version.earliestOffset))
        fields.set(.slope, to: 1)
        if let source {
            fields.copyGeometry(from: source)
        } else {
            NIfTIHeader.set(geometry.affine, in: &fields)
        }
        return fields
    }

    /// Writes header and voxels to one file, or to the two of a pair, the voxels first.
    private static func write(_ fields: NIfTIFields, _ voxels: EncodedVoxels, to path: String) throws {
        guard suffixes.contains(where: { path.lowercased().hasSuffix($0) }) else {
            throw NIfTIError(
                .inputOutput, path: path, "cannot tell the format; end the name in \(suffixes.joined(separator: ", "))")
        }
        let noExtensions: [UInt8] = [0, 0, 0, 0]
        let head = fields.bytes + noExtensions
        if let imagePath = pairPath(of: path, from: "hdr", to: "img") {
            try write([], voxels, to: imagePath)
            try write(head, EncodedVoxels([UInt8]()) { $0 }, to: path)
        } else {
            try write(head, voxels, to: path)
        }
    }

    private static func write(_ head: [UInt8], _ voxels: EncodedVoxels, to path: String) throws {
        let deflater =
            path.lowercased().hasSuffix(".gz") ? try GzipDeflater(path: path, level: voxels.compressionLevel) : nil
        try AtomicFile.write(to: path) { file in
            try append(deflater?.compressed(head) ?? head, to: file)
            for piece in 0..<voxels.pieces {
                let bytes = voxels.bytes(piece)
                try append(deflater?.compressed(bytes) ?? bytes, to: file)
            }
            try append(deflater?.end() ?? [], to: file)
        }
    }

    private static func append(_ bytes: [UInt8], to file: borrowing FileWriter) throws {
        try bytes.withUnsafeBytes { try file.write($0) }
    }
}

/// Voxels in their stored form, made in pieces of about a megabyte.
private struct EncodedVoxels {
    let pieces: Int
    /// Floats hardly shrink, at any level, and take their time; label maps shrink as well at level 4 as at 9.
    let compressionLevel: Int
    let bytes: (_ piece: Int) -> [UInt8]

    init<Voxel, Stored>(_ voxels: [Voxel], _ stored: @escaping (Voxel) -> Stored) {
        let size = (1 << 20) / MemoryLayout<Stored>.size
        compressionLevel = Voxel.self == Float.self ? 1 : 4
        pieces = (voxels.count + size - 1) / size
        bytes = { piece in
            let encoded = voxels[piece * size..<min((piece + 1) * size, voxels.count)].map(stored)
            return encoded.withUnsafeBytes { Array($0) }
        }
    }
}
