import Tensors

/// Why a NIfTI file cannot be read or written.
///
/// The description names the file, says what is wrong with it and what to do.
public struct NIfTIError: UserFacingError, Hashable {
    /// What is wrong.
    public enum Kind: String, Hashable, Sendable {
        /// The file ends before its header or its voxels do.
        case truncated
        /// The gzip stream is damaged, or there is none in a `.gz` file.
        case corruptGzip = "corrupt_gzip"
        /// This is not a NIfTI-1 or NIfTI-2 file.
        case badMagic = "bad_magic"
        /// The header's dimensions make no image: none, too many, zero, negative or too large.
        case badDimensions = "bad_dimensions"
        /// The voxels would not fit into the memory that this process may use.
        case tooLarge = "too_large"
        /// The voxels have a type that is no real number (colour, complex, bits) or that is unknown.
        case unsupportedType = "unsupported_type"
        /// The header places the voxels where they cannot be.
        case badOffset = "bad_offset"
        /// The voxel size is zero, negative or not a number, and no transform replaces it.
        case badSpacing = "bad_spacing"
        /// The transform to millimetres is singular or not a number.
        case badAffine = "bad_affine"
        /// The intensity scaling is infinite.
        case badScaling = "bad_scaling"
        /// The `.hdr` file has no `.img` file beside it, or the other way round.
        case missingImage = "missing_image"
        /// A label map has voxels that are no whole number in -32768...32767.
        case notLabels = "not_labels"
        /// The file cannot be opened, read or written.
        case inputOutput = "input_output"
    }

    /// What is wrong.
    public let kind: Kind
    /// The path of the file.
    public let path: String
    /// What is wrong with the file, and what to do.
    public let detail: String

    /// An error about the file at `path`.
    public init(_ kind: Kind, path: String, _ detail: String) {
        (self.kind, self.path, self.detail) = (kind, path, detail)
    }

    /// The path, what is wrong, what to do.
    public var description: String { "\(path): \(detail)" }
    /// 74 where the system refused, 65 where the file is at fault.
    public var exitCode: Int32 { kind == .inputOutput ? ExitStatus.inputOutput : ExitStatus.badData }
}
