import Foundation
import Tensors

/// Reading and writing of NIfTI-1 and NIfTI-2 files: `.nii`, `.nii.gz`, and pairs `.hdr`/`.img` (also `.gz`).
///
/// Headers and voxels are decoded here, not by libnifti. libnifti trusts what a header says: it would have to be given
/// files that were read and inflated once already to be checked, it zeroes voxels that are not numbers without a word,
/// and it does not scale. So it only converts between quaternions and matrices.
public enum NIfTIFile {
    /// The file name endings of images that can be read; of a pair, the header's.
    public static let suffixes = [".nii", ".nii.gz", ".hdr", ".hdr.gz"]

    /// Reads and checks the header alone. Whether all voxels are there is not checked.
    ///
    /// - Throws: ``NIfTIError``.
    public static func readHeader(_ path: String) throws -> NIfTIHeader {
        try openVoxels(path).header
    }

    /// Reads an image; a fourth axis becomes channels. Intensities are scaled as the header says; voxels that are not numbers
    /// or infinite stay so (``Volume/nonFiniteCount`` counts them).
    ///
    /// - Throws: ``NIfTIError``. No memory is allocated for voxels that a damaged header announces and the file lacks.
    public static func read(_ path: String) throws -> Volume {
        let (header, source) = try openVoxels(path)
        try checkLength(of: source, header)
        let count = header.geometry.extent.volume * header.channels
        let voxels = try [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            try decodeVoxels(of: source, header, into: buffer)
            initialized = count
        }
        try source.skip()
        return Volume(voxels: voxels, geometry: header.geometry, header: header)
    }

    /// Reads a label map.
    ///
    /// - Throws: ``NIfTIError``; `not_labels` if a voxel is no whole number (to 1e-3) in -32768...32767.
    public static func readLabels(_ path: String) throws -> LabelVolume {
        let volume = try read(path)
        guard volume.channels == 1 else {
            throw NIfTIError(
                .badDimensions, path: path, "a label map has three axes, this file has \(volume.channels) images")
        }
        var labels = [Int16](repeating: 0, count: volume.voxels.count)
        for (index, value) in volume.voxels.enumerated() {
            let rounded = value.rounded()
            guard abs(value - rounded) <= 1e-3, let label = Int16(exactly: rounded) else {
                let (plane, row) = (volume.extent.width * volume.extent.height, volume.extent.width)
                throw NIfTIError(
                    .notLabels, path: path,
                    "voxel (\(index % row), \(index % plane / row), \(index / plane)) is \(value); labels are whole numbers from -32768 to 32767"
                )
            }
            labels[index] = label
        }
        return LabelVolume(labels: labels, geometry: volume.geometry, header: volume.header)
    }

    /// Opens the file that holds the voxels, placed at the first voxel. Of a pair either path may be given.
    private static func openVoxels(_ path: String) throws -> (header: NIfTIHeader, voxels: ByteSource) {
        let headerPath = pairPath(of: path, from: "img", to: "hdr") ?? path
        if headerPath != path, !FileManager.default.fileExists(atPath: headerPath) {
            throw NIfTIError(.missingImage, path: path, "the header \(headerPath) is missing beside the image")
        }
        let source = try ByteSource(path: headerPath)
        var bytes = [UInt8](repeating: 0, count: NIfTIFields.Version.two.headerSize)
        let count = try bytes.withUnsafeMutableBytes { try source.read(into: $0) }
        let header = try NIfTIHeader(bytes: Array(bytes[..<count]), path: headerPath)
        guard let imagePath = pairPath(of: headerPath, from: "hdr", to: "img") else {
            guard !header.isPair else {
                throw NIfTIError(
                    .badMagic, path: path,
                    "the header says that the voxels are in an .img file, but the file is named as if it held them; rename it to .hdr"
                )
            }
            let voxels = try ByteSource(path: headerPath)
            try seek(voxels, header)
            return (header, voxels)
        }
        guard header.isPair else {
            throw NIfTIError(
                .badMagic, path: path, "the header says that this file also holds the voxels; rename it to .nii")
        }
        guard let found = firstExisting(of: imagePath) else {
            throw NIfTIError(.missingImage, path: path, "the image \(imagePath) is missing beside the header")
        }
        let voxels = try ByteSource(path: found)
        try seek(voxels, header)
        return (header, voxels)
    }
}

// MARK: - Voxels

extension NIfTIFile {
    /// Refuses a file that cannot hold the voxels that its header announces, before memory for them is taken.
    private static func checkLength(of source: ByteSource, _ header: NIfTIHeader) throws {
        guard source.isCompressed else {
            guard source.fileSize - header.voxelOffset >= header.voxelBytes else {
                throw truncated(source, header, found: source.fileSize - header.voxelOffset)
            }
            _ = try memory(for: header, source.path)
            return
        }
        // Deflate expands at most 1032-fold.
        let (mostBytes, _) = source.fileSize.multipliedReportingOverflow(by: 1032)
        guard header.voxelBytes <= mostBytes else { throw truncated(source, header, found: nil) }
        let floats = try memory(for: header, source.path)
        // A stream that shrank this much is rare, quick to inflate, and might not hold what its header says: count first.
        guard floats > 4 * source.fileSize + 64 << 20 else { return }
        let counting = try ByteSource(path: source.path)
        try counting.skip(header.voxelOffset)
        let found = try counting.skip(header.voxelBytes)
        guard found == header.voxelBytes else { throw truncated(source, header, found: found) }
    }

    /// The bytes that the voxels take in memory.
    ///
    /// A file of zeros shrinks a thousandfold and a sparse one takes no place on the disk: both hold what they announce.
    private static func memory(for header: NIfTIHeader, _ path: String) throws -> Int {
        let bytes = header.geometry.extent.volume * header.channels * MemoryLayout<Float>.size
        guard bytes <= Memory.largest else {
            throw NIfTIError(
                .tooLarge, path: path,
                "its voxels take \(bytes >> 20) MB in memory, this process may use \(Memory.largest >> 20) MB; "
                    + "crop or resample the image")
        }
        return bytes
    }

    private static func decodeVoxels(
        of source: ByteSource, _ header: NIfTIHeader, into voxels: UnsafeMutableBufferPointer<Float>
    ) throws {
        let size = header.dataType.size
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { chunk.deallocate() }
        var done = 0
        while done < voxels.count {
            let count = min(chunk.count / size, voxels.count - done)
            let bytes = UnsafeMutableRawBufferPointer(rebasing: chunk[..<(count * size)])
            let found = try source.read(into: bytes)
            guard found == bytes.count else { throw truncated(source, header, found: done * size + found) }
            header.dataType.decode(
                UnsafeRawBufferPointer(bytes), isBigEndian: header.isBigEndian, slope: header.slope,
                intercept: header.intercept, into: UnsafeMutableBufferPointer(rebasing: voxels[done..<(done + count)]))
            done += count
        }
    }

    private static func truncated(_ source: ByteSource, _ header: NIfTIHeader, found: Int?) -> NIfTIError {
        let there = found.map { "only \($0) are there" } ?? "the compressed file is too small for them"
        return NIfTIError(
            .truncated, path: source.path,
            "the header announces \(header.voxelBytes) bytes of voxels, \(there); the file is incomplete, copy it again"
        )
    }

    // MARK: - Places

    private static func seek(_ source: ByteSource, _ header: NIfTIHeader) throws {
        let offset = header.voxelOffset
        let isInside = source.isCompressed ? try source.skip(offset) == offset : offset <= source.fileSize
        guard isInside else {
            // Where voxels always start, it is rather the file that is too short.
            let isUsual = offset == header.fields.version.earliestOffset
            throw NIfTIError(
                isUsual ? .truncated : .badOffset, path: source.path,
                "the header places the voxels at byte \(offset), behind the end of the file; the file is damaged, copy it again"
            )
        }
        if !source.isCompressed { try source.skip(offset) }
    }

    /// The path of the other file of a pair; nil if `path` does not end in `suffix` (or `suffix.gz`).
    static func pairPath(of path: String, from suffix: String, to other: String) -> String? {
        for end in ["", ".gz"] where path.lowercased().hasSuffix(".\(suffix)\(end)") {
            return path.dropLast(suffix.count + end.count) + other + end
        }
        return nil
    }

    /// The files of the image at `path`: that one, or the header and the image of a pair.
    public static func files(of path: String) -> [String] {
        let header = pairPath(of: path, from: "img", to: "hdr") ?? path
        return [header] + [pairPath(of: header, from: "hdr", to: "img").flatMap(firstExisting)].compactMap(\.self)
    }

    /// `path`, or else the same with `.gz` added or taken away, or nil if neither file exists.
    private static func firstExisting(of path: String) -> String? {
        let other = path.hasSuffix(".gz") ? String(path.dropLast(3)) : path + ".gz"
        return [path, other].first { FileManager.default.fileExists(atPath: $0) }
    }
}
