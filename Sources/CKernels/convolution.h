// Gathered voxels times a panel of weights, and the transpose of that for the weights' gradient.
//
// Included once per family of vector instructions (family.h). A tile is up to TILE_ROWS pixels, or input channels, by
// one panel of two vectors: as many accumulators as the registers hold. Loops over taps and inputs run in a fixed order,
// so that every output is the same sum however the pixels are shared among threads.

// tile[r][c] += sum over t, k of table[t][r][k] * weights[t][k][c], or = if `fresh`; rows of weights are `weight_stride`
// apart, as are those from `next` on, if not NULL, which are fetched meanwhile. `fresh` and `rows` are constants at every call.
INLINE void NAME(multiply_tile)(const int fresh, const int rows, const void *const *table, int64_t table_stride, int32_t taps,
                                int32_t inputs, const void *zero, const float *weights, int64_t weight_stride,
                                const float *next, float *tile) {
    NAME(vector) low[TILE_ROWS], high[TILE_ROWS], zeros = {};
    UNROLLED for (int r = 0; r < rows; r++) {
        low[r] = fresh ? zeros : NAME(load)(tile + r * PANEL);
        high[r] = fresh ? zeros : NAME(load)(tile + r * PANEL + LANES);
    }
    for (int32_t t = 0; t < taps; t++) {
        const float *x[TILE_ROWS];
        int seen = 0;
        UNROLLED for (int r = 0; r < rows; r++) {
            x[r] = table[t * table_stride + r];
            seen |= x[r] != zero;
        }
        if (!seen) continue;
        const int64_t start = (int64_t)t * inputs * weight_stride;
        const float *w = weights + start, *n = next + (next ? start : 0);
        for (int64_t k = 0; k < inputs; k++, w += weight_stride) {
            if (next) {
                UNROLLED for (int i = 0; i < PANEL; i += 16) __builtin_prefetch(n + i, 0, 2);
                n += weight_stride;
            }
            NAME(vector) w0 = NAME(load)(w), w1 = NAME(load)(w + LANES);
            UNROLLED for (int r = 0; r < rows; r++) {
                low[r] += x[r][k] * w0;
                high[r] += x[r][k] * w1;
            }
        }
    }
    UNROLLED for (int r = 0; r < rows; r++) {
        NAME(store)(tile + r * PANEL, low[r]);
        NAME(store)(tile + r * PANEL + LANES, high[r]);
    }
}

// Whole panels without a call.
INLINE void NAME(copy_row)(float *target, const float *source, int32_t columns) {
    if (columns == PANEL) __builtin_memcpy(target, source, sizeof(float) * PANEL);
    else __builtin_memcpy(target, source, sizeof(float) * columns);
}

// One tile of a product: `paired` tells what its operands are, and like `rows` it is a constant at every call.
INLINE void NAME(any_tile)(const int paired, const int rows, const void *const *table, int64_t table_stride,
                           int32_t taps, int32_t inputs, const void *zero, const void *weights, int64_t weight_stride,
                           const float *next, float *tile) {
    if (paired) NAME(multiply_tile_pairs)(rows, table, table_stride, taps, inputs, zero, weights, tile);
    else if (next)
        NAME(multiply_tile)(0, rows, table, table_stride, taps, inputs, zero, weights, weight_stride, next, tile);
    else NAME(multiply_tile)(0, rows, table, table_stride, taps, inputs, zero, weights, weight_stride, 0, tile);
}

// `inputs` counts the 32-bit elements of a source row: floats, or pairs of bfloat16.
INLINE void NAME(multiply_tiles)(const int paired, const void *const *table, int64_t table_stride, int32_t pixels,
                                 int32_t taps, int32_t inputs, const void *zero, const void *weights,
                                 int64_t weight_stride, const float *next, const float *bias, float *y,
                                 const int64_t *index, int64_t row_stride, int32_t columns) {
    // Taps go in groups whose weights stay in the second-level cache while all tiles pass over them.
    int32_t group = WS_CACHED_WEIGHTS / (inputs * PANEL);
    if (group < 1) group = 1;
    float tile[TILE_ROWS * PANEL] = {0};
    for (int32_t t = 0; t < taps; t += group) {
        int32_t now = taps - t < group ? taps - t : group;
        const int64_t start = (int64_t)t * inputs * weight_stride;
        const void *w = (const char *)weights + start * 4;
        const float *n = next ? next + start : 0;
        for (int32_t p = 0; p < pixels; p += TILE_ROWS) {
            int32_t rows = pixels - p < TILE_ROWS ? pixels - p : TILE_ROWS;
            for (int32_t r = 0; r < rows; r++)
                if (t == 0 && bias) NAME(copy_row)(tile + r * PANEL, bias, PANEL);
                else NAME(copy_row)(tile + r * PANEL, y + index[p + r] * row_stride, columns);
            const void *const *addresses = table + t * table_stride + p;
            if (rows > TILE_ROWS * 2 / 3)
                NAME(any_tile)(paired, TILE_ROWS, addresses, table_stride, now, inputs, zero, w, weight_stride, n, tile);
            else if (rows > TILE_ROWS / 3)
                NAME(any_tile)(paired, TILE_ROWS * 2 / 3, addresses, table_stride, now, inputs, zero, w, weight_stride, n,
                               tile);
            else
                NAME(any_tile)(paired, TILE_ROWS / 3, addresses, table_stride, now, inputs, zero, w, weight_stride, n, tile);
            for (int32_t r = 0; r < rows; r++) NAME(copy_row)(y + index[p + r] * row_stride, tile + r * PANEL, columns);
        }
    }
}

static TARGET void NAME(gather_multiply)(const void *const *table, int64_t table_stride, int32_t pixels, int32_t taps,
                                         int32_t inputs, const void *zero, const float *weights, int64_t weight_stride,
                                         const float *next, const float *bias, float *y, const int64_t *index,
                                         int64_t row_stride, int32_t columns) {
    NAME(multiply_tiles)(0, table, table_stride, pixels, taps, inputs, zero, weights, weight_stride, next, bias, y, index,
                         row_stride, columns);
}

#ifndef TILES
static TARGET void NAME(gather_multiply_pairs)(const void *const *table, int64_t table_stride, int32_t pixels,
                                               int32_t taps, int32_t pairs, const void *zero, const uint32_t *weights,
                                               const float *bias, float *y, const int64_t *index, int64_t row_stride,
                                               int32_t columns) {
    NAME(multiply_tiles)(1, table, table_stride, pixels, taps, pairs, zero, weights, PANEL, 0, bias, y, index, row_stride,
                         columns);
}
#endif

// sums[r][c] += sum over p of x[p][k + r] * dy[index[p]][c], or = if `fresh`; `fresh` and `rows` are constants at every call.
INLINE void NAME(outer_tile)(const int fresh, const int rows, const void *const *x, int32_t pixels, int64_t k, const void *zero,
                             const float *dy, const int64_t *index, int64_t row_stride, float *sums,
                             int64_t sums_stride) {
    NAME(vector) low[TILE_ROWS], high[TILE_ROWS], zeros = {};
    UNROLLED for (int r = 0; r < rows; r++) {
        low[r] = fresh ? zeros : NAME(load)(sums + r * sums_stride);
        high[r] = fresh ? zeros : NAME(load)(sums + r * sums_stride + LANES);
    }
    for (int32_t p = 0; p < pixels; p++) {
        if (x[p] == zero) continue;
        const float *inputs = (const float *)x[p] + k, *d = dy + index[p] * row_stride;
        NAME(vector) d0 = NAME(load)(d), d1 = NAME(load)(d + LANES);
        UNROLLED for (int r = 0; r < rows; r++) {
            low[r] += inputs[r] * d0;
            high[r] += inputs[r] * d1;
        }
    }
    UNROLLED for (int r = 0; r < rows; r++) {
        NAME(store)(sums + r * sums_stride, low[r]);
        NAME(store)(sums + r * sums_stride + LANES, high[r]);
    }
}

// One tap of `inputs` inputs from `first` on.
INLINE void NAME(outer_tiles)(const int fresh, const void *const *x, int32_t pixels, int64_t first, int32_t inputs,
                              const void *zero, const float *dy, const int64_t *index, int64_t row_stride, float *sums,
                              int64_t sums_stride) {
    const int64_t end = first + inputs;
    for (int64_t k = first; k < end;) {
        float *s = sums + (k - first) * sums_stride;
        int64_t rows = end - k;
        if (rows >= TILE_ROWS) {
            NAME(outer_tile)(fresh, TILE_ROWS, x, pixels, k, zero, dy, index, row_stride, s, sums_stride);
            k += TILE_ROWS;
        } else if (rows >= TILE_ROWS * 2 / 3) {
            NAME(outer_tile)(fresh, TILE_ROWS * 2 / 3, x, pixels, k, zero, dy, index, row_stride, s, sums_stride);
            k += TILE_ROWS * 2 / 3;
        } else if (rows >= TILE_ROWS / 3) {
            NAME(outer_tile)(fresh, TILE_ROWS / 3, x, pixels, k, zero, dy, index, row_stride, s, sums_stride);
            k += TILE_ROWS / 3;
        } else {
            NAME(outer_tile)(fresh, 1, x, pixels, k, zero, dy, index, row_stride, s, sums_stride);
            k += 1;
        }
    }
}

static TARGET void NAME(gather_outer)(const void *const *table, int64_t table_stride, int32_t pixels, int32_t taps,
                                      int32_t inputs, const void *zero, const float *dy, const int64_t *index,
                                      int64_t row_stride, int32_t columns, int32_t fresh, float *sums,
                                      int64_t sums_stride) {
    // A narrow panel is copied, so that whole vectors can be read.
    float narrow[WS_CHUNK * PANEL];
    int64_t position[WS_CHUNK];
    if (columns < PANEL) {
        __builtin_memset(narrow, 0, sizeof(float) * PANEL * pixels);
        for (int32_t p = 0; p < pixels; p++) {
            __builtin_memcpy(narrow + p * PANEL, dy + index[p] * row_stride, sizeof(float) * columns);
            position[p] = p;
        }
        dy = narrow;
        index = position;
        row_stride = PANEL;
    }
    for (int32_t t = 0; t < taps; t++, table += table_stride, sums += inputs * sums_stride) {
        if (fresh) NAME(outer_tiles)(1, table, pixels, 0, inputs, zero, dy, index, row_stride, sums, sums_stride);
        else NAME(outer_tiles)(0, table, pixels, 0, inputs, zero, dy, index, row_stride, sums, sums_stride);
    }
}
