// The few calls of MPI that the tool needs. Every rank makes them in the same order; they return when the data have arrived.
// An error inside MPI ends the job with MPI's own message.
#ifndef WS_MPI_H
#define WS_MPI_H

#include <stdint.h>

/// Whether the tool was built with MPI. Without it, nothing else may be called.
int ws_mpi_is_built(void);

/// Starts MPI. Returns 0 if it allows no calls from a second thread, which gradients need.
int ws_mpi_start(int32_t *rank, int32_t *count);

/// Block i of `send` goes to rank i, block i of `receive` came from rank i. `bytes` is the size of a block.
void ws_mpi_exchange(const void *send, void *receive, int64_t bytes);

/// `receive` becomes the `bytes` bytes that each rank sends, in rank order.
void ws_mpi_gather(const void *send, void *receive, int64_t bytes);

/// Waits for all ranks and ends MPI.
void ws_mpi_finish(void);

/// Ends all ranks, with this exit status.
void ws_mpi_abort(int32_t status);

#endif
