import CMPI

/// Processes that `mpirun` or `srun` started, on one machine or several. Needs a build with the trait `MPI`.
public struct MPIRanks: Communicator {
    /// Which of the processes this is.
    public let rank: Int
    /// How many there are.
    public let count: Int

    /// Starts MPI; once per process.
    /// - Throws: ``RankError``.
    init() throws {
        var (rank, count) = (Int32(0), Int32(1))
        guard ws_mpi_is_built() != 0 else { throw RankError.notBuilt }
        guard ws_mpi_start(&rank, &count) != 0 else { throw RankError.noThreads }
        (self.rank, self.count) = (Int(rank), Int(count))
    }

    /// `MPI_Ialltoall`.
    public func exchange(_ send: UnsafeRawBufferPointer, into receive: UnsafeMutableRawBufferPointer) {
        ws_mpi_exchange(send.baseAddress, receive.baseAddress, Int64(send.count / count))
    }

    /// `MPI_Iallgather`.
    public func gather(_ send: UnsafeRawBufferPointer, into receive: UnsafeMutableRawBufferPointer) {
        ws_mpi_gather(send.baseAddress, receive.baseAddress, Int64(send.count))
    }

    /// Waits for all ranks and ends MPI.
    func finish() { ws_mpi_finish() }

    /// Ends all ranks with this exit status.
    func abort(status: Int32) { ws_mpi_abort(status) }
}
