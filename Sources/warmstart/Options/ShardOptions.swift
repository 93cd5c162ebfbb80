import ArgumentParser
import Ranks

/// Which part of a work that consists of many pieces a command does.
struct ShardOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            Do every n-th piece only, such as --shard $SLURM_ARRAY_TASK_ID/8 in a job array from 0 to 7. Processes that \
            mpirun or srun starts share the work by themselves.
            """, valueName: "i/n"))
    var shard: Shard?

    /// The part to do.
    var part: Shard { shard ?? RankPlace().map(Shard.init) ?? .whole }
}

extension Shard: ExpressibleByArgument {
    /// `i/n`.
    public init?(argument: String) { self.init(argument) }
}
