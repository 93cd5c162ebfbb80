import Tensors

/// Why processes cannot work together.
public enum RankError: UserFacingError, Equatable {
    /// Several processes were started, but the tool was built without MPI.
    case notBuilt
    /// MPI allows calls from one thread only.
    case noThreads
    /// The ranks are not about to do the same.
    case disagree(what: String, first: String, rank: Int, other: String)

    /// Wrong usage.
    public var exitCode: Int32 { ExitStatus.usage }

    /// What is wrong and what to do.
    public var description: String {
        switch self {
        case .notBuilt:
            "started as one of several processes, but built without MPI. Install an MPI (Debian: libopenmpi-dev) and build "
                + "with swift build -c release --traits MPI, or start one process."
        case .noThreads:
            "this MPI was built without thread support (MPI_THREAD_SERIALIZED), which overlapping needs. Use another build."
        case .disagree(let what, let first, let rank, let other):
            "rank \(rank) has another \(what) than rank 0: \(other), not \(first). All ranks need the same build, recipe, data "
                + "and kind of processor, and must see one file system."
        }
    }
}

extension Communicator {
    /// Makes sure that all ranks have the same.
    /// - Parameter facts: what each rank must agree with: its name, and its value.
    /// - Throws: ``RankError/disagree(what:first:rank:other:)``, on every rank.
    public func agree(on facts: [(what: String, value: String)]) throws {
        for fact in facts {
            let all = gather(fact.value)
            guard let other = all.firstIndex(where: { $0 != all[0] }) else { continue }
            throw RankError.disagree(what: fact.what, first: all[0], rank: other, other: all[other])
        }
    }
}
