import Tensors

/// A preprocessed store that cannot be used.
public enum StoreError: UserFacingError, Equatable {
    /// The folder is no store.
    case notAStore(path: String, reason: String)
    /// A part of the store, or a case of it, is not what it must be.
    case damaged(part: String, path: String, reason: String)
    /// The store was made with another plan.
    case otherPlan(path: String)
    /// A file that a case was made of is not what it was then.
    case changedSource(case: String, path: String, file: String, difference: String)
    /// There is no such case.
    case noSuchCase(name: String, path: String)
    /// The name cannot be that of a folder.
    case badName(String)

    /// Bad data.
    public var exitCode: Int32 { ExitStatus.badData }

    /// What is wrong, where, and what to do.
    public var description: String {
        switch self {
        case .notAStore(let path, let reason):
            "\(path) is not a preprocessed store: \(reason). Make one with `warmstart preprocess`."
        case .damaged(let part, let path, let reason):
            "\(part) of the store \(path) is damaged: \(reason). Remove the case's folder and preprocess again."
        case .otherPlan(let path):
            "the store \(path) was made with another plan. Use that plan (it is in its zarr.json) or another folder."
        case .changedSource(let name, let path, let file, let difference):
            "the store \(path) has the case \(name), but it was made before \(file) changed: that has \(difference).\n"
                + "Remove \(path)/\(name) to preprocess the case anew, or use another store."
        case .noSuchCase(let name, let path):
            "the store \(path) has no case \(name)."
        case .badName(let name):
            "\"\(name)\" cannot name a case: it must not be empty, start with a dot or contain a slash."
        }
    }
}
