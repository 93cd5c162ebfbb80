#include <stddef.h>

#include "CKernels.h"

extern const ws_kernels ws_kernels_portable, ws_kernels_avx2, ws_kernels_avx512, ws_kernels_avx512bf16;

int32_t ws_kernel_set_count(void) { return 4; }

static int has_avx512(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
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
    default:
        return NULL;
    }
}
