#include "ws_mpi.h"

#ifndef WS_MPI

#include <stdlib.h>

int ws_mpi_is_built(void) { return 0; }
int ws_mpi_start(int32_t *rank, int32_t *count) { abort(); }
void ws_mpi_exchange(const void *send, void *receive, int64_t bytes) { abort(); }
void ws_mpi_gather(const void *send, void *receive, int64_t bytes) { abort(); }
void ws_mpi_finish(void) { abort(); }
void ws_mpi_abort(int32_t status) { abort(); }

#else

#include <time.h>

// Clusters' modules put mpi.h on the path itself, Debian in a folder of its own.
#if __has_include(<mpi.h>)
#include <mpi.h>
#else
#include <mpi/mpi.h>
#endif

int ws_mpi_is_built(void) { return 1; }

int ws_mpi_start(int32_t *rank, int32_t *count) {
    int level = 0, r = 0, n = 1;
    MPI_Init_thread(NULL, NULL, MPI_THREAD_MULTIPLE, &level);
    MPI_Comm_rank(MPI_COMM_WORLD, &r);
    MPI_Comm_size(MPI_COMM_WORLD, &n);
    *rank = r;
    *count = n;
    return level >= MPI_THREAD_SERIALIZED;
}

// MPI's own waiting keeps a core busy that computes gradients here: so poll, then sleep in between.
static void ws_mpi_wait(MPI_Request *request) {
    const struct timespec pause = {0, 50000};
    int done = 0;
    for (int polls = 0;; polls++) {
        MPI_Test(request, &done, MPI_STATUS_IGNORE);
        if (done) return;
        if (polls >= 50) nanosleep(&pause, NULL);
    }
}

void ws_mpi_exchange(const void *send, void *receive, int64_t bytes) {
    MPI_Request request;
    MPI_Ialltoall(send, (int)bytes, MPI_BYTE, receive, (int)bytes, MPI_BYTE, MPI_COMM_WORLD, &request);
    ws_mpi_wait(&request);
}

void ws_mpi_gather(const void *send, void *receive, int64_t bytes) {
    MPI_Request request;
    MPI_Iallgather(send, (int)bytes, MPI_BYTE, receive, (int)bytes, MPI_BYTE, MPI_COMM_WORLD, &request);
    ws_mpi_wait(&request);
}

void ws_mpi_finish(void) { MPI_Finalize(); }

void ws_mpi_abort(int32_t status) { MPI_Abort(MPI_COMM_WORLD, status); }

#endif
