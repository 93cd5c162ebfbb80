import Foundation
import Tensors

/// How the tool's process takes part in the work of several.
public enum Launch {
    /// Calls `body` with the processes that `mpirun` or `srun` started together, or alone.
    ///
    /// A rank whose `body` throws ends the whole job: the others would wait for it forever. An error that all ranks meet is
    /// told once, by the first.
    /// - Parameter isAgreed: whether all ranks throw this error, so that nobody waits: it is rethrown after MPI has ended.
    /// - Throws: ``RankError``; what `body` throws, where the process is alone or the ranks agreed.
    public static func run<Result>(
        isAgreed: (any Error) -> Bool = { _ in false }, _ body: (any Communicator) throws -> Result
    ) throws -> Result {
        guard RankPlace() != nil else { return try body(OneProcess()) }
        let ranks = try MPIRanks()
        do {
            let result = try body(ranks)
            // MPI's own waiting would keep the cores busy that the first rank still computes on.
            ranks.wait()
            ranks.finish()
            return result
        } catch  where isAgreed(error) {
            ranks.finish()
            guard ranks.isFirst else { exit((error as? any UserFacingError)?.exitCode ?? EXIT_FAILURE) }
            throw error
        } catch {
            // Most errors, such as a misspelled key, meet all ranks: leave it to the first to tell.
            if !ranks.isFirst { Thread.sleep(forTimeInterval: 1) }
            let reason = (error as? any UserFacingError)?.description ?? "\(error)"
            try? FileHandle.standardError.write(
                contentsOf: Data("warmstart: rank \(ranks.rank) on \(Machine.name): \(reason)\n".utf8))
            ranks.abort(status: (error as? any UserFacingError)?.exitCode ?? EXIT_FAILURE)
            exit(EXIT_FAILURE)
        }
    }
}
