// Gathered voxels times a panel of weights, and the transpose of that for the weights' gradient.
//
// Included once per family of vector instructions (family.h). A tile is up to TILE_ROWS pixels, or input channels, by
// one panel of two vectors: as many accumulators as the registers hold. Loops over taps and inputs run in a fixed order,
// so that every output is the same sum however the pixels are shared among threads.

typedef float NAME(vector) __attribute__((vector_size(4 * LANES)));
typedef float NAME(unaligned) __attribute__((vector_size(4 * LANES), aligned(4)));
#define PANEL (2 * LANES)

INLINE NAME(vector) NAME(load)(const float *p) { return *(const NAME(unaligned) *)p; }
INLINE void NAME(store)(float *p, NAME(vector) v) { *(NAME(unaligned) *)p = v; }

// tile[r][c] += sum over t, k of table[t][r][k] * weights[t][k][c]; `rows` is a constant at every call.
INLINE void NAME(multiply_tile)(const int rows, const float *const *table, int64_t table_stride, int32_t taps,
                                int32_t inputs, const float *zero, const float *weights, float *tile) {
    NAME(vector) low[TILE_ROWS], high[TILE_ROWS];
    UNROLLED for (int r = 0; r < rows; r++) {
        low[r] = NAME(load)(tile + r * PANEL);
        high[r] = NAME(load)(tile + r * PANEL + LANES);
    }
    for (int32_t t = 0; t < taps; t++) {
        const float *x[TILE_ROWS], *w = weights + (int64_t)t * inputs * PANEL;
        int seen = 0;
        UNROLLED for (int r = 0; r < rows; r++) {
            x[r] = table[t * table_stride + r];
            seen |= x[r] != zero;
        }
        if (!seen) continue;
        for (int64_t k = 0; k < inputs; k++, w += PANEL) {
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

static TARGET void NAME(gather_multiply)(const float *const *table, int64_t table_stride, int32_t pixels, int32_t taps,
                                         int32_t inputs, const float *zero, const float *weights, const float *bias,
                                         float *y, const int64_t *index, int64_t row_stride, int32_t columns) {
    // Taps go in groups whose weights stay in the second-level cache while all tiles pass over them.
    int32_t group = WS_CACHED_WEIGHTS / (inputs * PANEL);
    if (group < 1) group = 1;
    float tile[TILE_ROWS * PANEL];
    for (int32_t t = 0; t < taps; t += group) {
        int32_t now = taps - t < group ? taps - t : group;
        const float *w = weights + (int64_t)t * inputs * PANEL;
        for (int32_t p = 0; p < pixels; p += TILE_ROWS) {
            int32_t rows = pixels - p < TILE_ROWS ? pixels - p : TILE_ROWS;
            for (int32_t r = 0; r < rows; r++)
                __builtin_memcpy(tile + r * PANEL, t == 0 ? bias : y + index[p + r] * row_stride,
                                 sizeof(float) * (t == 0 ? PANEL : columns));
            const float *const *addresses = table + t * table_stride + p;
            if (rows > TILE_ROWS * 2 / 3)
                NAME(multiply_tile)(TILE_ROWS, addresses, table_stride, now, inputs, zero, w, tile);
            else if (rows > TILE_ROWS / 3)
                NAME(multiply_tile)(TILE_ROWS * 2 / 3, addresses, table_stride, now, inputs, zero, w, tile);
            else
                NAME(multiply_tile)(TILE_ROWS / 3, addresses, table_stride, now, inputs, zero, w, tile);
            for (int32_t r = 0; r < rows; r++)
                __builtin_memcpy(y + index[p + r] * row_stride, tile + r * PANEL, sizeof(float) * columns);
        }
    }
}

// sums[r][c] += sum over p of x[p][k + r] * dy[index[p]][c]; `rows` is a constant at every call.
INLINE void NAME(outer_tile)(const int rows, const float *const *x, int32_t pixels, int64_t k, const float *zero,
                             const float *dy, const int64_t *index, int64_t row_stride, float *sums,
                             int64_t sums_stride) {
    NAME(vector) low[TILE_ROWS], high[TILE_ROWS];
    UNROLLED for (int r = 0; r < rows; r++) {
        low[r] = NAME(load)(sums + r * sums_stride);
        high[r] = NAME(load)(sums + r * sums_stride + LANES);
    }
    for (int32_t p = 0; p < pixels; p++) {
        if (x[p] == zero) continue;
        const float *inputs = x[p] + k, *d = dy + index[p] * row_stride;
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

static TARGET void NAME(gather_outer)(const float *const *table, int64_t table_stride, int32_t pixels, int32_t taps,
                                      int32_t inputs, const float *zero, const float *dy, const int64_t *index,
                                      int64_t row_stride, int32_t columns, float *sums, int64_t sums_stride) {
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
    for (int32_t t = 0; t < taps; t++) {
        const float *const *x = table + t * table_stride;
        for (int32_t k = 0; k < inputs;) {
            float *s = sums + ((int64_t)t * inputs + k) * sums_stride;
            int32_t rows = inputs - k;
            if (rows >= TILE_ROWS) {
                NAME(outer_tile)(TILE_ROWS, x, pixels, k, zero, dy, index, row_stride, s, sums_stride);
                k += TILE_ROWS;
            } else if (rows >= TILE_ROWS * 2 / 3) {
                NAME(outer_tile)(TILE_ROWS * 2 / 3, x, pixels, k, zero, dy, index, row_stride, s, sums_stride);
                k += TILE_ROWS * 2 / 3;
            } else if (rows >= TILE_ROWS / 3) {
                NAME(outer_tile)(TILE_ROWS / 3, x, pixels, k, zero, dy, index, row_stride, s, sums_stride);
                k += TILE_ROWS / 3;
            } else {
                NAME(outer_tile)(1, x, pixels, k, zero, dy, index, row_stride, s, sums_stride);
                k += 1;
            }
        }
    }
}
#undef PANEL
