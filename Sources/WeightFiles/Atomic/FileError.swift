import Foundation
import Tensors

/// A file or folder that could not be read, written, moved or removed.
public struct FileError: UserFacingError, Equatable {
    /// What was tried, as a verb: "read", "write", ...
    public let attempt: String
    /// The file or folder.
    public let path: String
    /// The system's reason.
    public let reason: String

    /// The failure of a system call that set `errno`.
    public init(_ attempt: String, _ path: String, code: Int32 = errno) {
        self.init(attempt, path, reason: String(cString: strerror(code)))
    }

    /// The failure of a call into Foundation.
    public init(_ attempt: String, _ path: String, _ error: any Error) {
        let cocoa = error as? CocoaError
        if let code = (cocoa?.underlying as? POSIXError)?.code ?? cocoa.flatMap({ Self.codes[$0.code] }) {
            self.init(attempt, path, code: code.rawValue)
        } else {
            self.init(attempt, path, reason: error.localizedDescription)
        }
    }

    /// What Foundation says in words of its own.
    private static let codes: [CocoaError.Code: POSIXErrorCode] = [
        .fileWriteOutOfSpace: .ENOSPC, .fileWriteVolumeReadOnly: .EROFS, .fileWriteNoPermission: .EACCES,
        .fileReadNoPermission: .EACCES, .fileNoSuchFile: .ENOENT, .fileReadNoSuchFile: .ENOENT,
        .fileWriteFileExists: .EEXIST,
    ]

    /// A failure with a reason in words.
    public init(_ attempt: String, _ path: String, reason: String) {
        (self.attempt, self.path, self.reason) = (attempt, path, reason)
    }

    /// Trouble with files: 74.
    public var exitCode: Int32 { ExitStatus.inputOutput }

    /// For example `cannot read a.safetensors: No such file or directory.`
    public var description: String { "cannot \(attempt) \(path): \(reason)." }
}
