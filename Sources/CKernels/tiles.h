// Products of bfloat16 pairs in matrix registers: a tile is up to 16 rows of 64 bytes, and one instruction adds to 16x16
// sums the products of 16 rows with 16 columns of 16 pairs each.
//
// Included by a family that defines TILES as 1 (the AMX instructions) or 2 (the same in portable C, for tests on any
// processor). Such a family has panels of 32 channels; rows of pairs are filled up to whole tiles with zeros.
#if TILES == 1
#include <immintrin.h>
#endif

#define TILE_EDGE 16

#if TILES == 1
// Rows and bytes per row of the eight registers: all whole.
typedef struct {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} NAME(tile_shapes);
typedef struct {
    char unused;
} NAME(tiles);
INLINE void NAME(open_tiles)(void) {
    NAME(tile_shapes) shapes = {.palette = 1};
    for (int i = 0; i < 8; i++) {
        shapes.row_bytes[i] = 64;
        shapes.rows[i] = TILE_EDGE;
    }
    _tile_loadconfig(&shapes);
}
INLINE void NAME(close_tiles)(void) { _tile_release(); }
#define TILE_LOAD(tiles, register, address, stride) ((void)(tiles), _tile_loadd(register, address, stride))
#define TILE_STORE(tiles, register, address, stride) ((void)(tiles), _tile_stored(register, address, stride))
#define TILE_PRODUCTS(tiles, sums, rows, columns) ((void)(tiles), _tile_dpbf16ps(sums, rows, columns))
#else
typedef struct {
    uint32_t words[8][TILE_EDGE][TILE_EDGE];
} NAME(tiles);
INLINE void NAME(open_tiles)(void) {}
INLINE void NAME(close_tiles)(void) {}
INLINE void NAME(tile_copy_in)(uint32_t (*tile)[TILE_EDGE], const void *address, int64_t stride) {
    for (int r = 0; r < TILE_EDGE; r++) __builtin_memcpy(tile[r], (const char *)address + r * stride, 64);
}
INLINE void NAME(tile_copy_out)(uint32_t (*tile)[TILE_EDGE], void *address, int64_t stride) {
    for (int r = 0; r < TILE_EDGE; r++) __builtin_memcpy((char *)address + r * stride, tile[r], 64);
}
INLINE void NAME(tile_products)(uint32_t (*sums)[TILE_EDGE], uint32_t (*rows)[TILE_EDGE],
                                uint32_t (*columns)[TILE_EDGE]) {
    for (int r = 0; r < TILE_EDGE; r++)
        for (int c = 0; c < TILE_EDGE; c += LANES) {
            NAME(vector) sum = (NAME(vector))NAME(load_words)(sums[r] + c);
            for (int k = 0; k < TILE_EDGE; k++)
                sum = NAME(add_products)(sum, NAME(splat)(rows[r][k]), NAME(load_words)(columns[k] + c));
            NAME(store_words)(sums[r] + c, (NAME(words))sum);
        }
}
#define TILE_LOAD(tiles, register, address, stride) NAME(tile_copy_in)((tiles)->words[register], address, stride)
#define TILE_STORE(tiles, register, address, stride) NAME(tile_copy_out)((tiles)->words[register], address, stride)
#define TILE_PRODUCTS(tiles, sums, rows, columns) \
    NAME(tile_products)((tiles)->words[sums], (tiles)->words[rows], (tiles)->words[columns])
#endif

// Sixteen voxels of the source at one tap as rows of a tile: where they lie if they are equally far apart, as the voxels
// of a row are, else a copy. Rows from `count` on are zeros.
INLINE const void *NAME(tile_rows)(const void *const *table, int32_t count, int64_t offset, uint32_t *copy,
                                   int64_t *stride) {
    const char *first = table[0];
    if (count >= TILE_EDGE) {
        int64_t step = (const char *)table[1] - first, deviation = 0;
        for (int r = 2; r < TILE_EDGE; r++) deviation |= (const char *)table[r] - first - r * step;
        if (deviation == 0) {
            *stride = step;
            return first + offset;
        }
    }
    for (int r = 0; r < TILE_EDGE; r++) {
        if (r < count) __builtin_memcpy(copy + r * TILE_EDGE, (const char *)table[r] + offset, 64);
        else __builtin_memset(copy + r * TILE_EDGE, 0, 64);
    }
    *stride = 64;
    return copy;
}

// Adds to 16 (`halves` 1) or 32 pixels' sums of one panel the products of some taps; `halves` is a constant at every call.
INLINE void NAME(multiply_in_tiles)(const int halves, NAME(tiles) *tiles, const void *const *table,
                                    int64_t table_stride, int32_t rows, int32_t taps, int32_t pairs, const void *zero,
                                    const uint32_t *weights, float *sums) {
    const int64_t row = PANEL * sizeof(float);
    uint32_t copies[2][TILE_EDGE * TILE_EDGE];
    TILE_LOAD(tiles, 0, sums, row);
    TILE_LOAD(tiles, 1, sums + TILE_EDGE, row);
    if (halves == 2) {
        TILE_LOAD(tiles, 2, sums + TILE_EDGE * PANEL, row);
        TILE_LOAD(tiles, 3, sums + TILE_EDGE * PANEL + TILE_EDGE, row);
    }
    for (int32_t t = 0; t < taps; t++) {
        const void *const *seen = table + t * table_stride;
        int sees = 0;
        for (int32_t r = 0; r < rows; r++) sees |= seen[r] != zero;
        if (!sees) continue;
        const uint32_t *w = weights + (int64_t)t * pairs * PANEL;
        for (int64_t k = 0; k < pairs; k += TILE_EDGE, w += TILE_EDGE * PANEL) {
            int64_t stride;
            const void *x = NAME(tile_rows)(seen, rows, k * 4, copies[0], &stride);
            TILE_LOAD(tiles, 4, x, stride);
            TILE_LOAD(tiles, 6, w, row);
            TILE_LOAD(tiles, 7, w + TILE_EDGE, row);
            TILE_PRODUCTS(tiles, 0, 4, 6);
            TILE_PRODUCTS(tiles, 1, 4, 7);
            if (halves == 2) {
                x = NAME(tile_rows)(seen + TILE_EDGE, rows - TILE_EDGE, k * 4, copies[1], &stride);
                TILE_LOAD(tiles, 5, x, stride);
                TILE_PRODUCTS(tiles, 2, 5, 6);
                TILE_PRODUCTS(tiles, 3, 5, 7);
            }
        }
    }
    TILE_STORE(tiles, 0, sums, row);
    TILE_STORE(tiles, 1, sums + TILE_EDGE, row);
    if (halves == 2) {
        TILE_STORE(tiles, 2, sums + TILE_EDGE * PANEL, row);
        TILE_STORE(tiles, 3, sums + TILE_EDGE * PANEL + TILE_EDGE, row);
    }
}

static TARGET void NAME(gather_multiply_tiles)(const void *const *table, int64_t table_stride, int32_t pixels,
                                               int32_t taps, int32_t pairs, const void *zero, const uint32_t *weights,
                                               const float *bias, float *y, const int64_t *index, int64_t row_stride,
                                               int32_t columns) {
    NAME(tiles) tiles;
    NAME(open_tiles)();
    int32_t group = WS_CACHED_WEIGHTS / (pairs * PANEL);
    if (group < 1) group = 1;
    float sums[2 * TILE_EDGE * PANEL] __attribute__((aligned(64))) = {0};
    for (int32_t t = 0; t < taps; t += group) {
        int32_t now = taps - t < group ? taps - t : group;
        const uint32_t *w = weights + (int64_t)t * pairs * PANEL;
        for (int32_t p = 0; p < pixels; p += 2 * TILE_EDGE) {
            int32_t rows = pixels - p < 2 * TILE_EDGE ? pixels - p : 2 * TILE_EDGE;
            for (int32_t r = 0; r < rows; r++)
                if (t == 0 && bias) NAME(copy_row)(sums + r * PANEL, bias, PANEL);
                else NAME(copy_row)(sums + r * PANEL, y + index[p + r] * row_stride, columns);
            const void *const *seen = table + t * table_stride + p;
            if (rows > TILE_EDGE)
                NAME(multiply_in_tiles)(2, &tiles, seen, table_stride, rows, now, pairs, zero, w, sums);
            else NAME(multiply_in_tiles)(1, &tiles, seen, table_stride, rows, now, pairs, zero, w, sums);
            for (int32_t r = 0; r < rows; r++)
                NAME(copy_row)(y + index[p + r] * row_stride, sums + r * PANEL, columns);
        }
    }
    NAME(close_tiles)();
}

// rows[i][j] = words[j][i] of a block of 16x16: one bit of the two indices after the other changes places.
INLINE void NAME(transpose_block)(const uint32_t *words, int64_t stride, uint32_t *rows, int64_t row_stride) {
    typedef uint32_t block __attribute__((vector_size(64)));
    typedef uint32_t unaligned __attribute__((vector_size(64), aligned(4)));
    block r[TILE_EDGE];
    UNROLLED for (int i = 0; i < TILE_EDGE; i++) r[i] = *(const unaligned *)(words + i * stride);
#define EXCHANGE(s, low, high)                                                         \
    UNROLLED for (int i = 0; i < TILE_EDGE; i++) {                                     \
        if (i & s) continue;                                                           \
        block a = r[i], b = r[i + s];                                                  \
        r[i] = low;                                                                    \
        r[i + s] = high;                                                               \
    }
    EXCHANGE(1, __builtin_shufflevector(a, b, 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30),
             __builtin_shufflevector(a, b, 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31))
    EXCHANGE(2, __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29),
             __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31))
    EXCHANGE(4, __builtin_shufflevector(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27),
             __builtin_shufflevector(a, b, 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31))
    EXCHANGE(8, __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23),
             __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31))
#undef EXCHANGE
    UNROLLED for (int i = 0; i < TILE_EDGE; i++) *(unaligned *)(rows + i * row_stride) = r[i];
}

// The sums are transposed: sums[t][outputs][inputs], both filled up to whole panels. dy is transposed once for all taps;
// transposing the voxels of every tap would take longer than the products.
static TARGET void NAME(gather_outer_tiles)(const void *const *table, int64_t table_stride, int32_t pixels,
                                            int32_t taps, int32_t inputs, const void *zero, const float *dy,
                                            const int64_t *index, int32_t outputs, uint32_t *scratch, float *sums) {
    const int32_t most = WS_CHUNK / 2;  // pairs of pixels
    int32_t columns = WS_WHOLE(inputs, PANEL), rows = WS_WHOLE(outputs, PANEL);
    int32_t pairs = (pixels + 1) / 2, blocks = (pairs + TILE_EDGE - 1) / TILE_EDGE;
    // dy as [block of pairs][output][pair], by way of [pair][output].
    uint32_t *d = scratch, *x = d + (int64_t)rows * most;
    for (int32_t block = 0; block < blocks; block++) {
        for (int32_t i = 0; i < TILE_EDGE; i++) {
            int32_t p = 2 * (block * TILE_EDGE + i);
            uint32_t *row = x + (int64_t)i * rows;
            int32_t filled = 0;
            if (p < pixels) {
                NAME(interleave)(dy + index[p] * outputs, p + 1 < pixels ? dy + index[p + 1] * outputs : 0, outputs, row);
                filled = outputs;
            }
            __builtin_memset(row + filled, 0, 4 * (rows - filled));
        }
        for (int32_t c = 0; c < rows; c += TILE_EDGE)
            NAME(transpose_block)(x + c, rows, d + ((int64_t)block * rows + c) * TILE_EDGE, TILE_EDGE);
    }
    NAME(tiles) tiles;
    NAME(open_tiles)();
    int64_t x_stride = WS_ROW_STRIDE(columns);
    const int64_t d_bytes = TILE_EDGE * 4, x_bytes = x_stride * 4, sum_bytes = (int64_t)columns * 4;
    for (int32_t t = 0; t < taps; t++, sums += (int64_t)rows * columns) {
        // x as [pair][input], and which blocks see anything.
        const void *const *seen = table + t * table_stride;
        int32_t seeing[WS_CHUNK / 2 / TILE_EDGE], count = 0;
        for (int32_t block = 0; block < blocks; block++) {
            int32_t first = 2 * block * TILE_EDGE, end = first + 2 * TILE_EDGE < pixels ? first + 2 * TILE_EDGE : pixels;
            int sees = 0;
            for (int32_t p = first; p < end; p++) sees |= seen[p] != zero;
            if (!sees) continue;
            seeing[count++] = block;
            for (int32_t i = 0; i < TILE_EDGE; i++) {
                int32_t p = first + 2 * i;
                uint32_t *row = x + (int64_t)(block * TILE_EDGE + i) * x_stride;
                int32_t filled = 0;
                if (p < pixels) {
                    NAME(interleave)(seen[p], p + 1 < pixels ? seen[p + 1] : 0, inputs, row);
                    filled = inputs;
                }
                __builtin_memset(row + filled, 0, 4 * (columns - filled));
            }
        }
        if (count == 0) continue;
        for (int32_t r = 0; r < rows; r += 2 * TILE_EDGE)
            for (int32_t c = 0; c < columns; c += 2 * TILE_EDGE) {
                float *upper = sums + (int64_t)r * columns + c, *lower = upper + (int64_t)TILE_EDGE * columns;
                TILE_LOAD(&tiles, 0, upper, sum_bytes);
                TILE_LOAD(&tiles, 1, upper + TILE_EDGE, sum_bytes);
                TILE_LOAD(&tiles, 2, lower, sum_bytes);
                TILE_LOAD(&tiles, 3, lower + TILE_EDGE, sum_bytes);
                for (int32_t i = 0; i < count; i++) {
                    const uint32_t *a = d + ((int64_t)seeing[i] * rows + r) * TILE_EDGE;
                    const uint32_t *b = x + (int64_t)seeing[i] * TILE_EDGE * x_stride + c;
                    TILE_LOAD(&tiles, 4, a, d_bytes);
                    TILE_LOAD(&tiles, 6, b, x_bytes);
                    TILE_LOAD(&tiles, 7, b + TILE_EDGE, x_bytes);
                    TILE_LOAD(&tiles, 5, a + TILE_EDGE * TILE_EDGE, d_bytes);
                    TILE_PRODUCTS(&tiles, 0, 4, 6);
                    TILE_PRODUCTS(&tiles, 1, 4, 7);
                    TILE_PRODUCTS(&tiles, 2, 5, 6);
                    TILE_PRODUCTS(&tiles, 3, 5, 7);
                }
                TILE_STORE(&tiles, 0, upper, sum_bytes);
                TILE_STORE(&tiles, 1, upper + TILE_EDGE, sum_bytes);
                TILE_STORE(&tiles, 2, lower, sum_bytes);
                TILE_STORE(&tiles, 3, lower + TILE_EDGE, sum_bytes);
            }
    }
    NAME(close_tiles)();
}
