import Tensors

/// Another process works in a folder.
public struct FolderInUse: UserFacingError, Equatable {
    /// The folder.
    public let folder: String
    /// Which process, such as `process 4711 on node7`.
    public let holder: String

    init(folder: String, holder: LockHolder?) {
        self.folder = folder
        self.holder = holder.map { "process \($0.pid) on \($0.host)" } ?? "another process"
    }

    /// Wrong usage: 64.
    public var exitCode: Int32 { ExitStatus.usage }

    /// Who is there and what to do.
    public var description: String {
        "\(holder) is at work in \(folder). Wait until it has ended, or choose another folder."
    }
}
