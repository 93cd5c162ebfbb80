// Products of bfloat16 numbers, summed in float32. Included once per family of vector instructions (family.h).
//
// Two numbers that meet in one sum lie side by side in 32 bits: neighbouring channels of a voxel in the product with
// weights, neighbouring pixels in the outer product. A family without an instruction for such pairs widens them to
// float32.
#if MULTIPLIES_PAIRS
#include <immintrin.h>
#endif

typedef uint32_t NAME(words) __attribute__((vector_size(4 * LANES)));
typedef uint32_t NAME(unaligned_words) __attribute__((vector_size(4 * LANES), aligned(4)));

INLINE NAME(words) NAME(load_words)(const uint32_t *p) { return *(const NAME(unaligned_words) *)p; }
INLINE void NAME(store_words)(uint32_t *p, NAME(words) v) { *(NAME(unaligned_words) *)p = v; }
INLINE NAME(words) NAME(splat)(uint32_t pair) { return pair - (NAME(words)){}; }

// The bfloat16 nearest to each float, ties to even, in the low half of each word; denormals become zero.
INLINE NAME(words) NAME(round)(NAME(vector) x) {
    NAME(words) bits = (NAME(words))x, magnitude = bits & 0x7fffffffu;
    NAME(words) rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
    NAME(words) is_nan = (NAME(words))(magnitude > 0x7f800000u), is_denormal = (NAME(words))(magnitude < 0x00800000u);
    rounded = (rounded & ~is_nan) | ((bits >> 16 | 0x40u) & is_nan);
    return rounded & (~is_denormal | 0x8000u);
}

// Pairs of the same element of two vectors.
INLINE NAME(words) NAME(round_pairs)(NAME(vector) even, NAME(vector) odd) {
#if MULTIPLIES_PAIRS
    const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                                           21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    __m512i halves = (__m512i)_mm512_cvtne2ps_pbh((__m512)odd, (__m512)even);
    return (NAME(words))_mm512_permutexvar_epi16(order, halves);
#else
    return NAME(round)(even) | NAME(round)(odd) << 16;
#endif
}

// sum + a's odd half * b's odd half + a's even half * b's even half.
INLINE NAME(vector) NAME(add_products)(NAME(vector) sum, NAME(words) a, NAME(words) b) {
#if MULTIPLIES_PAIRS
    return (NAME(vector))_mm512_dpbf16_ps((__m512)sum, (__m512bh)a, (__m512bh)b);
#else
    sum += (NAME(vector))(a & 0xffff0000u) * (NAME(vector))(b & 0xffff0000u);
    return sum + (NAME(vector))(a << 16) * (NAME(vector))(b << 16);
#endif
}

INLINE uint32_t NAME(round_pair)(float even, float odd) {
    NAME(vector) a = {even}, b = {odd};
    return NAME(round_pairs)(a, b)[0];
}

// Pairs of neighbours in one stretch of `count` numbers, an odd one at the end paired with zero.
INLINE void NAME(round_stretch)(const float *x, int64_t count, uint32_t *pairs) {
    int64_t i = 0;
#if MULTIPLIES_PAIRS
    for (; i + 2 * LANES <= count; i += 2 * LANES) {
        __m512 first = (__m512)NAME(load)(x + i), second = (__m512)NAME(load)(x + i + LANES);
        NAME(store_words)(pairs + i / 2, (NAME(words))_mm512_cvtne2ps_pbh(second, first));
    }
#else
    for (; i + LANES <= count; i += LANES) {
        NAME(words) rounded = NAME(round)(NAME(load)(x + i));
        for (int lane = 0; lane < LANES; lane += 2) pairs[(i + lane) / 2] = rounded[lane] | rounded[lane + 1] << 16;
    }
#endif
    for (; i + 2 <= count; i += 2) pairs[i / 2] = NAME(round_pair)(x[i], x[i + 1]);
    if (i < count) pairs[i / 2] = NAME(round_pair)(x[i], 0);
}

static TARGET void NAME(round_rows)(const float *x, int64_t rows, int32_t channels, uint32_t *pairs) {
    if (channels % 2 == 0) {
        NAME(round_stretch)(x, rows * channels, pairs);
        return;
    }
    for (int64_t row = 0; row < rows; row++)
        NAME(round_stretch)(x + row * channels, channels, pairs + row * ((channels + 1) / 2));
}

// Reads no further than `count`.
static TARGET void NAME(interleave)(const float *even, const float *odd, int32_t count, uint32_t *pairs) {
    int32_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        NAME(vector) zeros = {};
        NAME(store_words)(pairs + i, NAME(round_pairs)(NAME(load)(even + i), odd ? NAME(load)(odd + i) : zeros));
    }
    for (; i < count; i++) pairs[i] = NAME(round_pair)(even[i], odd ? odd[i] : 0);
}

// tile[r][c] += sum over t, k of table[t][r][k] . weights[t][k][c]; `rows` is a constant at every call.
INLINE void NAME(multiply_tile_pairs)(const int rows, const void *const *table, int64_t table_stride, int32_t taps,
                                      int32_t pairs, const void *zero, const uint32_t *weights, float *tile) {
    NAME(vector) low[TILE_ROWS], high[TILE_ROWS];
    UNROLLED for (int r = 0; r < rows; r++) {
        low[r] = NAME(load)(tile + r * PANEL);
        high[r] = NAME(load)(tile + r * PANEL + LANES);
    }
    for (int32_t t = 0; t < taps; t++) {
        const uint32_t *x[TILE_ROWS], *w = weights + (int64_t)t * pairs * PANEL;
        int seen = 0;
        UNROLLED for (int r = 0; r < rows; r++) {
            x[r] = table[t * table_stride + r];
            seen |= x[r] != zero;
        }
        if (!seen) continue;
        for (int64_t k = 0; k < pairs; k++, w += PANEL) {
            NAME(words) w0 = NAME(load_words)(w), w1 = NAME(load_words)(w + LANES);
            UNROLLED for (int r = 0; r < rows; r++) {
                NAME(words) broadcast = NAME(splat)(x[r][k]);
                low[r] = NAME(add_products)(low[r], broadcast, w0);
                high[r] = NAME(add_products)(high[r], broadcast, w1);
            }
        }
    }
    UNROLLED for (int r = 0; r < rows; r++) {
        NAME(store)(tile + r * PANEL, low[r]);
        NAME(store)(tile + r * PANEL + LANES, high[r]);
    }
}

// sums[r][c] += sum over i of x[i][r] . dy[rows_of_dy[i]][c]; `rows` is a constant at every call.
INLINE void NAME(outer_tile_pairs)(const int rows, const uint32_t *x, int64_t x_stride, int32_t count,
                                   const int32_t *rows_of_dy, const uint32_t *dy, float *sums, int64_t sums_stride) {
    NAME(vector) low[TILE_ROWS], high[TILE_ROWS];
    UNROLLED for (int r = 0; r < rows; r++) {
        low[r] = NAME(load)(sums + r * sums_stride);
        high[r] = NAME(load)(sums + r * sums_stride + LANES);
    }
    for (int32_t i = 0; i < count; i++, x += x_stride) {
        const uint32_t *d = dy + (int64_t)rows_of_dy[i] * PANEL;
        NAME(words) d0 = NAME(load_words)(d), d1 = NAME(load_words)(d + LANES);
        UNROLLED for (int r = 0; r < rows; r++) {
            NAME(words) broadcast = NAME(splat)(x[r]);
            low[r] = NAME(add_products)(low[r], broadcast, d0);
            high[r] = NAME(add_products)(high[r], broadcast, d1);
        }
    }
    UNROLLED for (int r = 0; r < rows; r++) {
        NAME(store)(sums + r * sums_stride, low[r]);
        NAME(store)(sums + r * sums_stride + LANES, high[r]);
    }
}

// All panels of up to TILE_ROWS input channels.
INLINE void NAME(outer_row_pairs)(const int rows, const uint32_t *x, int64_t x_stride, int32_t count,
                                  const int32_t *rows_of_dy, const uint32_t *dy, int32_t panels, float *sums) {
    for (int32_t panel = 0; panel < panels; panel++)
        NAME(outer_tile_pairs)(rows, x, x_stride, count, rows_of_dy, dy + panel * (WS_CHUNK / 2 * PANEL),
                               sums + panel * PANEL, (int64_t)panels * PANEL);
}

#ifndef TILES
static TARGET void NAME(gather_outer_pairs)(const void *const *table, int64_t table_stride, int32_t pixels,
                                            int32_t taps, int32_t inputs, const void *zero, const float *dy,
                                            const int64_t *index, int32_t outputs, uint32_t *scratch, float *sums) {
    int32_t panels = (outputs + PANEL - 1) / PANEL, pairs = (pixels + 1) / 2;
    // dy as [panel][pair of pixels][channel], once for all taps.
    for (int32_t panel = 0; panel < panels; panel++) {
        int32_t columns = outputs - panel * PANEL < PANEL ? outputs - panel * PANEL : PANEL;
        for (int32_t i = 0; i < pairs; i++) {
            uint32_t *row = scratch + (panel * (WS_CHUNK / 2) + i) * PANEL;
            const float *even = dy + index[2 * i] * outputs + panel * PANEL;
            const float *odd = 2 * i + 1 < pixels ? dy + index[2 * i + 1] * outputs + panel * PANEL : 0;
            NAME(interleave)(even, odd, columns, row);
            if (columns < PANEL) __builtin_memset(row + columns, 0, 4 * (PANEL - columns));
        }
    }
    // x as [pair of pixels][channel] for one tap at a time, without the pairs that see nothing.
    uint32_t *x = scratch + (int64_t)panels * (WS_CHUNK / 2) * PANEL;
    int64_t x_stride = WS_ROW_STRIDE(inputs);
    int32_t rows_of_dy[WS_CHUNK / 2];
    for (int32_t t = 0; t < taps; t++) {
        const void *const *seen = table + t * table_stride;
        int32_t count = 0;
        for (int32_t i = 0; i < pairs; i++) {
            const void *even = seen[2 * i], *odd = 2 * i + 1 < pixels ? seen[2 * i + 1] : zero;
            if (even == zero && odd == zero) continue;
            NAME(interleave)(even, odd, inputs, x + count * x_stride);
            rows_of_dy[count++] = i;
        }
        if (count == 0) continue;
        float *s = sums + (int64_t)t * inputs * panels * PANEL;
        for (int32_t k = 0; k < inputs;) {
            int32_t rows = inputs - k;
            const uint32_t *column = x + k;
            float *target = s + (int64_t)k * panels * PANEL;
            if (rows >= TILE_ROWS) {
                NAME(outer_row_pairs)(TILE_ROWS, column, x_stride, count, rows_of_dy, scratch, panels, target);
                k += TILE_ROWS;
            } else if (rows >= TILE_ROWS * 2 / 3) {
                NAME(outer_row_pairs)(TILE_ROWS * 2 / 3, column, x_stride, count, rows_of_dy, scratch, panels, target);
                k += TILE_ROWS * 2 / 3;
            } else if (rows >= TILE_ROWS / 3) {
                NAME(outer_row_pairs)(TILE_ROWS / 3, column, x_stride, count, rows_of_dy, scratch, panels, target);
                k += TILE_ROWS / 3;
            } else {
                NAME(outer_row_pairs)(1, column, x_stride, count, rows_of_dy, scratch, panels, target);
                k += 1;
            }
        }
    }
}
#endif
