#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "CKernels.h"

extern const ws_kernels ws_kernels_portable, ws_kernels_avx2, ws_kernels_avx512, ws_kernels_avx512bf16, ws_kernels_amx,
    ws_kernels_emulated_tiles;

int32_t ws_kernel_set_count(void) { return 5; }

const ws_kernels *ws_emulated_tiles(void) { return &ws_kernels_emulated_tiles; }

static int has_avx512(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
}

// A process must ask for the matrix registers once, since they enlarge what the kernel saves of every thread.
static int has_tiles(void) {
    const long request_permission = 0x1023, tile_data = 18;
    return __builtin_cpu_supports("amx-tile") && __builtin_cpu_supports("amx-bf16") &&
           syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}

const ws_kernels *ws_kernel_set(int32_t index) {
    __builtin_cpu_init();
    switch (index) {
    case 0:
        return &ws_kernels_portable;
    case 1:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &ws_kernels_avx2 : NULL;
    case 2:
        return has_avx512() ? &ws_kernels_avx512 : NULL;
    case 3:
        return has_avx512() && __builtin_cpu_supports("avx512bf16") ? &ws_kernels_avx512bf16 : NULL;
    case 4:
        return has_avx512() && __builtin_cpu_supports("avx512bf16") && has_tiles() ? &ws_kernels_amx : NULL;
    default:
        return NULL;
    }
}
