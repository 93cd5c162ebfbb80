import Foundation

/// Which process of how many this is, as the program that started it says: `mpirun` of Open MPI or MPICH, or `srun`.
///
/// Known without MPI, so that processes that share work but need not talk can do so in any build.
public struct RankPlace: Hashable, Sendable {
    /// Counted from 0.
    public var rank: Int
    /// How many processes there are.
    public var count: Int

    /// A place.
    public init(rank: Int, count: Int) { (self.rank, self.count) = (rank, count) }

    /// What the environment says; nil for a process that was started alone.
    public init?(environment: [String: String] = ProcessInfo.processInfo.environment) {
        let names = [("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"), ("PMI_RANK", "PMI_SIZE")]
        for (rank, size) in names {
            guard let rank = environment[rank].flatMap({ Int($0) }), let count = environment[size].flatMap({ Int($0) }),
                count > 1, (0..<count).contains(rank)
            else { continue }
            self.init(rank: rank, count: count)
            return
        }
        // srun with PMIx names no size of its own.
        guard environment["PMIX_RANK"] != nil, let rank = environment["SLURM_PROCID"].flatMap({ Int($0) }),
            let count = environment["SLURM_NTASKS"].flatMap({ Int($0) }), count > 1, (0..<count).contains(rank)
        else { return nil }
        self.init(rank: rank, count: count)
    }
}
