import Tensors

/// Why a PyTorch checkpoint cannot be read.
///
/// The description names the file, says what is wrong with it and what to do.
public struct PyTorchError: UserFacingError, Hashable {
    /// What is wrong.
    public enum Kind: String, Hashable, Sendable {
        /// This is no file that `torch.save` wrote.
        case notACheckpoint = "not_a_checkpoint"
        /// This is a program saved by `torch.jit.save`.
        case torchScript = "torchscript"
        /// The file ends before its tensors do.
        case truncated
        /// The zip archive contradicts itself.
        case badArchive = "bad_archive"
        /// A record's bytes are not those that were written.
        case badChecksum = "bad_checksum"
        /// A record is compressed in a way that is not supported.
        case unsupportedCompression = "unsupported_compression"
        /// The pickle contradicts itself or uses what `torch.save` never writes.
        case badPickle = "bad_pickle"
        /// The pickle names a function or class that weights do not need.
        case forbiddenGlobal = "forbidden_global"
        /// The archive lacks the bytes of a tensor.
        case missingRecord = "missing_record"
        /// A tensor's sizes, strides or offset do not fit its bytes.
        case badTensor = "bad_tensor"
        /// The content is nested without end.
        case tooDeep = "too_deep"
        /// What the file asks for takes much more memory than the file itself.
        case tooLarge = "too_large"
    }

    /// What is wrong.
    public let kind: Kind
    /// The path of the file; empty until ``located(in:)``.
    public let path: String
    /// What is wrong with the file, and what to do.
    public let detail: String

    /// An error about the file at `path`.
    init(_ kind: Kind, path: String = "", _ detail: String) {
        (self.kind, self.path, self.detail) = (kind, path, detail)
    }

    /// The same error, of the file at `path`.
    func located(in path: String) -> PyTorchError { PyTorchError(kind, path: path, detail) }

    /// The path, what is wrong, what to do.
    public var description: String { "\(path): \(detail)" }
    /// 65: the file is at fault.
    public var exitCode: Int32 { ExitStatus.badData }
}
