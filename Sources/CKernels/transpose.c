#include "CKernels.h"

// Four floats, on any processor.
typedef float four __attribute__((vector_size(16)));

static inline four load(const float *p) {
    four v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}

static inline void store(float *p, four v) { __builtin_memcpy(p, &v, sizeof v); }

static inline void transpose_four(const float *x, int64_t x_stride, float *y, int64_t y_stride) {
    four a = load(x), b = load(x + x_stride), c = load(x + 2 * x_stride), d = load(x + 3 * x_stride);
    four low = __builtin_shufflevector(a, b, 0, 4, 1, 5), high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    four low2 = __builtin_shufflevector(c, d, 0, 4, 1, 5), high2 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    store(y, __builtin_shufflevector(low, low2, 0, 1, 4, 5));
    store(y + y_stride, __builtin_shufflevector(low, low2, 2, 3, 6, 7));
    store(y + 2 * y_stride, __builtin_shufflevector(high, high2, 0, 1, 4, 5));
    store(y + 3 * y_stride, __builtin_shufflevector(high, high2, 2, 3, 6, 7));
}

void ws_transpose(const float *x, int64_t x_stride, int32_t rows, int32_t columns, float *y, int64_t y_stride) {
    // Sixteen columns at a time: whole cache lines of x, and lines of y that stay in the first-level cache.
    int32_t whole_rows = rows / 4 * 4, whole_columns = columns / 16 * 16;
    for (int32_t c = 0; c < whole_columns; c += 16)
        for (int32_t r = 0; r < whole_rows; r += 4)
            for (int32_t i = c; i < c + 16; i += 4)
                transpose_four(x + r * x_stride + i, x_stride, y + i * y_stride + r, y_stride);
    for (int32_t r = 0; r < rows; r++)
        for (int32_t c = r < whole_rows ? whole_columns : 0; c < columns; c++) y[c * y_stride + r] = x[r * x_stride + c];
}
