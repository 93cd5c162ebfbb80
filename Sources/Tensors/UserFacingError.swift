/// An error that the user of the tool can act on. Its description says in one or two lines what is wrong, where, and
/// what to do.
public protocol UserFacingError: Error, CustomStringConvertible, Sendable {
    /// The exit status of the tool: one of ``ExitStatus``.
    var exitCode: Int32 { get }
}

/// Exit statuses of the tool, after BSD's sysexits.
public enum ExitStatus {
    /// The command line or the recipe is wrong.
    public static let usage: Int32 = 64
    /// The data are wrong: a damaged file, labels outside the dataset's classes, mismatched grids.
    public static let badData: Int32 = 65
    /// A file cannot be read or written.
    public static let inputOutput: Int32 = 74
    /// The run was interrupted after it saved its state.
    public static let interrupted: Int32 = 130
}
