// Winograd's minimal filtering F(2, 3) for kernels of 3x3x3 or 1x3x3 taps at stride 1: a cube of 2x2x2 (a square of
// 1x2x2) outputs from its neighbourhood of 4x4x4 (1x4x4) inputs takes 64 products instead of 216 (16 instead of 36).
// Lavin and Gray, 'Fast algorithms for convolutional neural networks', CVPR 2016; in three dimensions Jia et al., PPoPP
// 2018. Along one axis
//     y = A'[(G g) * (B'd)],   dg = G'[(A dy) * (B'd)]
//     B'd = (d0 - d2, d1 + d2, d2 - d1, d1 - d3),   A'm = (m0 + m1 + m2, m1 - m2 - m3)
//     G g = (g0, (g0 + g1 + g2) / 2, (g0 - g1 + g2) / 2, g2)
//
// Included once per family of vector instructions (family.h). `deep` is 1 for cubes and 0 for squares, a constant at
// every call of an inlined function; positions are the products of a neighbourhood, numbered [depth][height][width].
#define POSITIONS(deep) ((deep) ? 64 : 16)
#define CORNERS(deep) ((deep) ? 8 : 4)

// B'd of four vectors, `step` apart.
INLINE void NAME(spread_inputs)(NAME(vector) *d, const int step) {
    NAME(vector) d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step];
    d[0] = d0 - d2;
    d[step] = d1 + d2;
    d[2 * step] = d2 - d1;
    d[3 * step] = d1 - d3;
}

// A dy of two vectors.
INLINE void NAME(spread_outputs)(NAME(vector) y0, NAME(vector) y1, NAME(vector) *d, const int step) {
    d[0] = y0;
    d[step] = y0 + y1;
    d[2 * step] = y0 - y1;
    d[3 * step] = -y1;
}

// A'm of four vectors, into the first two.
INLINE void NAME(collect_outputs)(NAME(vector) *m, const int step) {
    NAME(vector) middle = m[step] + m[2 * step], difference = m[step] - m[2 * step];
    m[0] += middle;
    m[step] = difference - m[3 * step];
}

// G g of three vectors.
INLINE void NAME(spread_weights)(NAME(vector) g0, NAME(vector) g1, NAME(vector) g2, NAME(vector) *u, const int step) {
    NAME(vector) even = (g0 + g2) * 0.5f, odd = g1 * 0.5f;
    u[0] = g0;
    u[step] = even + odd;
    u[2 * step] = even - odd;
    u[3 * step] = g2;
}

// G'u of four vectors, into the first three.
INLINE void NAME(collect_weights)(NAME(vector) *u, const int step) {
    NAME(vector) even = (u[step] + u[2 * step]) * 0.5f, odd = (u[step] - u[2 * step]) * 0.5f;
    u[0] += even;
    u[step] = odd;
    u[2 * step] = even + u[3 * step];
}

INLINE NAME(vector) NAME(load_part)(const float *p, int32_t count) {
    if (count >= LANES) return NAME(load)(p);
    float part[LANES] = {0};
    __builtin_memcpy(part, p, sizeof(float) * count);
    return NAME(load)(part);
}

INLINE void NAME(store_part)(float *p, NAME(vector) v, int32_t count) {
    if (count >= LANES) {
        NAME(store)(p, v);
        return;
    }
    float part[LANES];
    NAME(store)(part, v);
    __builtin_memcpy(p, part, sizeof(float) * count);
}

// The products' inputs of one neighbourhood, of up to LANES channels from k on; positions are `distance` floats apart.
// A plane at a time, so that everything between loading and storing stays in registers.
INLINE void NAME(spread_neighbourhood)(const int deep, const void *const *table, int64_t table_stride, int64_t k,
                                       int32_t count, float *v, int64_t distance) {
    UNROLLED for (int plane = 0; plane < (deep ? 4 : 1); plane++) {
        // B'd along the depth: each result is the sum or difference of two planes.
        const int first = plane == 0 ? 0 : plane == 2 ? 2 : 1, second = plane == 3 ? 3 : plane == 2 ? 1 : 2;
        NAME(vector) q[16];
        UNROLLED for (int i = 0; i < 16; i++) {
            const float *near = table[(16 * first + i) * table_stride];
            q[i] = NAME(load_part)(near + k, count);
            if (!deep) continue;
            const float *far = table[(16 * second + i) * table_stride];
            NAME(vector) other = NAME(load_part)(far + k, count);
            q[i] = plane == 1 ? q[i] + other : q[i] - other;
        }
        UNROLLED for (int row = 0; row < 4; row++) NAME(spread_inputs)(q + 4 * row, 1);
        UNROLLED for (int column = 0; column < 4; column++) NAME(spread_inputs)(q + column, 4);
        UNROLLED for (int i = 0; i < 16; i++) NAME(store)(v + (16 * plane + i) * distance, q[i]);
    }
}

// The gradient's share of one cube of outputs, likewise.
INLINE void NAME(spread_cube)(const int deep, const void *const *table, int64_t table_stride, int64_t k, int32_t count,
                              float *v, int64_t distance) {
    UNROLLED for (int plane = 0; plane < (deep ? 4 : 1); plane++) {
        NAME(vector) y[4], rows[8], q[16];
        UNROLLED for (int i = 0; i < 4; i++) {
            const float *near = table[i * table_stride], *far = table[(deep ? 4 + i : i) * table_stride];
            NAME(vector) y0 = NAME(load_part)(near + k, count), y1 = NAME(load_part)(far + k, count);
            y[i] = plane == 0 ? y0 : plane == 1 ? y0 + y1 : plane == 2 ? y0 - y1 : -y1;
        }
        NAME(spread_outputs)(y[0], y[1], rows, 1);
        NAME(spread_outputs)(y[2], y[3], rows + 4, 1);
        UNROLLED for (int column = 0; column < 4; column++)
            NAME(spread_outputs)(rows[column], rows[4 + column], q + column, 4);
        UNROLLED for (int i = 0; i < 16; i++) NAME(store)(v + (16 * plane + i) * distance, q[i]);
    }
}

// The outputs of one cube from its products, plus the bias; those at `outside` are dropped.
INLINE void NAME(collect_cube)(const int deep, const float *m, int64_t distance, NAME(vector) bias,
                               const void *const *table, int64_t table_stride, const void *outside, int64_t c,
                               int32_t count) {
    UNROLLED for (int plane = 0; plane < (deep ? 2 : 1); plane++) {
        NAME(vector) q[16];
        UNROLLED for (int i = 0; i < 16; i++) {
            q[i] = NAME(load)(m + (16 * plane + i) * distance);
            if (!deep) continue;
            NAME(vector) next = NAME(load)(m + (16 * (plane + 1) + i) * distance);
            NAME(vector) last = NAME(load)(m + (16 * (plane + 2) + i) * distance);
            q[i] = plane == 0 ? q[i] + next + last : q[i] - next - last;
        }
        UNROLLED for (int column = 0; column < 4; column++) NAME(collect_outputs)(q + column, 4);
        UNROLLED for (int row = 0; row < 2; row++) {
            NAME(collect_outputs)(q + 4 * row, 1);
            UNROLLED for (int column = 0; column < 2; column++) {
                const void *target = table[(4 * plane + 2 * row + column) * table_stride];
                if (target != outside) NAME(store_part)((float *)target + c, q[4 * row + column] + bias, count);
            }
        }
    }
}

// Spreads `count` neighbourhoods (or cubes of outputs): v[position][cube][channel], rows `row_stride` long, zero beyond
// the channels and, up to a whole number of register tiles, beyond the cubes; positions are `distance` floats apart.
INLINE void NAME(spread_all)(const int deep, const int neighbourhoods, const void *const *table, int64_t table_stride,
                             int32_t count, int32_t channels, int64_t row_stride, float *v, int64_t distance) {
    for (int32_t cube = 0; cube < count; cube++)
        for (int32_t k = 0; k < channels; k += LANES) {
            float *target = v + cube * row_stride + k;
            if (neighbourhoods)
                NAME(spread_neighbourhood)(deep, table + cube, table_stride, k, channels - k, target, distance);
            else NAME(spread_cube)(deep, table + cube, table_stride, k, channels - k, target, distance);
        }
    if (!neighbourhoods) return;
    int32_t whole = (count + TILE_ROWS / 3 - 1) / (TILE_ROWS / 3) * (TILE_ROWS / 3);
    for (int32_t position = 0; position < POSITIONS(deep); position++)
        __builtin_memset(v + position * distance + count * row_stride, 0,
                         sizeof(float) * (whole - count) * row_stride);
}

// m[cube][c] = sum over k of v[cube][k] * u[k][c], for one position and one panel.
INLINE void NAME(multiply_position)(const float *v, int64_t row_stride, int32_t count, int32_t inputs, const float *u,
                                    float *m) {
    const void *rows[TILE_ROWS];
    for (int32_t p = 0; p < count; p += TILE_ROWS) {
        int32_t left = count - p;
        for (int r = 0; r < TILE_ROWS; r++) rows[r] = v + (p + r) * row_stride;
        float *tile = m + p * PANEL;
        if (left > TILE_ROWS * 2 / 3) NAME(multiply_tile)(1, TILE_ROWS, rows, 0, 1, inputs, 0, u, tile);
        else if (left > TILE_ROWS / 3) NAME(multiply_tile)(1, TILE_ROWS * 2 / 3, rows, 0, 1, inputs, 0, u, tile);
        else NAME(multiply_tile)(1, TILE_ROWS / 3, rows, 0, 1, inputs, 0, u, tile);
    }
}

INLINE void NAME(multiply_all_cubes)(const int deep, const void *const *inputs_table, const void *const *outputs_table,
                                     int64_t table_stride, int32_t cubes, const void *outside, int32_t inputs,
                                     int32_t outputs, const float *weights, const float *bias, float *scratch) {
    int64_t row_stride = WS_WHOLE(inputs, LANES);
    int32_t batch = ws_cube_batch(deep, row_stride + PANEL, WS_TILE);
    int64_t v_distance = WS_ROW_STRIDE(batch * row_stride), m_distance = WS_ROW_STRIDE(batch * PANEL);
    float *v = scratch, *m = scratch + POSITIONS(deep) * v_distance;
    for (int32_t first = 0; first < cubes; first += batch) {
        int32_t count = cubes - first < batch ? cubes - first : batch;
        NAME(spread_all)(deep, 1, inputs_table + first, table_stride, count, inputs, row_stride, v, v_distance);
        const float *u = weights;
        for (int32_t panel = 0; panel < outputs; panel += PANEL) {
            for (int32_t position = 0; position < POSITIONS(deep); position++, u += inputs * PANEL)
                NAME(multiply_position)(v + position * v_distance, row_stride, count, inputs, u,
                                        m + position * m_distance);
            for (int32_t cube = 0; cube < count; cube++)
                for (int32_t c = 0; c < PANEL && panel + c < outputs; c += LANES)
                    NAME(collect_cube)(deep, m + cube * PANEL + c, m_distance, NAME(load)(bias + panel + c),
                                       outputs_table + first + cube, table_stride, outside, panel + c,
                                       outputs - panel - c);
        }
    }
}

static TARGET void NAME(multiply_cubes)(int32_t deep, const void *const *inputs_table,
                                        const void *const *outputs_table, int64_t table_stride, int32_t cubes,
                                        const void *outside, int32_t inputs, int32_t outputs, const float *weights,
                                        const float *bias, float *scratch) {
    if (deep) NAME(multiply_all_cubes)(1, inputs_table, outputs_table, table_stride, cubes, outside, inputs, outputs,
                                       weights, bias, scratch);
    else NAME(multiply_all_cubes)(0, inputs_table, outputs_table, table_stride, cubes, outside, inputs, outputs,
                                  weights, bias, scratch);
}

INLINE void NAME(outer_all_cubes)(const int deep, const void *const *inputs_table, const void *const *outputs_table,
                                  int64_t table_stride, int32_t cubes, int32_t inputs, int32_t outputs, float *scratch,
                                  float *sums) {
    int64_t row_stride = WS_WHOLE(inputs, LANES), width = WS_WHOLE(outputs, PANEL);
    int32_t batch = ws_cube_batch(deep, row_stride + width, WS_FEWEST_OUTER_CUBES);
    int64_t v_distance = WS_ROW_STRIDE(batch * row_stride), d_distance = WS_ROW_STRIDE(batch * width);
    float *v = scratch, *d = scratch + POSITIONS(deep) * v_distance;
    const void *rows[WS_CHUNK];
    int64_t index[WS_CHUNK];
    for (int32_t i = 0; i < batch; i++) index[i] = i;
    // Channels that fill up the last panel.
    if (outputs % PANEL != 0) __builtin_memset(d, 0, sizeof(float) * POSITIONS(deep) * d_distance);
    for (int32_t first = 0; first < cubes; first += batch) {
        int32_t count = cubes - first < batch ? cubes - first : batch;
        NAME(spread_all)(deep, 1, inputs_table + first, table_stride, count, inputs, row_stride, v, v_distance);
        NAME(spread_all)(deep, 0, outputs_table + first, table_stride, count, outputs, width, d, d_distance);
        for (int32_t position = 0; position < POSITIONS(deep); position++) {
            for (int32_t i = 0; i < count; i++) rows[i] = v + position * v_distance + i * row_stride;
            for (int32_t panel = 0; panel < outputs; panel += PANEL)
                NAME(gather_outer)(rows, 0, count, 1, inputs, 0, d + position * d_distance + panel, index, width,
                                   PANEL, sums + position * inputs * width + panel, width);
        }
    }
}

static TARGET void NAME(outer_cubes)(int32_t deep, const void *const *inputs_table, const void *const *outputs_table,
                                     int64_t table_stride, int32_t cubes, int32_t inputs, int32_t outputs,
                                     float *scratch, float *sums) {
    if (deep) NAME(outer_all_cubes)(1, inputs_table, outputs_table, table_stride, cubes, inputs, outputs, scratch,
                                    sums);
    else NAME(outer_all_cubes)(0, inputs_table, outputs_table, table_stride, cubes, inputs, outputs, scratch, sums);
}

// u[position] from the taps of `count` numbers each; taps and positions are `tap_distance` and `distance` apart.
static TARGET void NAME(cube_weights)(int32_t deep, int32_t flipped, const float *weights, int64_t tap_distance,
                                      int64_t count, float *u, int64_t distance) {
    int last = deep ? 26 : 8;
    for (int64_t k = 0; k < count; k += LANES) {
        NAME(vector) d[3][16];
        for (int plane = 0; plane < (deep ? 3 : 1); plane++) {
            NAME(vector) rows[12];
            UNROLLED for (int row = 0; row < 3; row++) {
                NAME(vector) g[3];
                UNROLLED for (int i = 0; i < 3; i++) {
                    int tap = 9 * plane + 3 * row + i;
                    g[i] = NAME(load)(weights + (flipped ? last - tap : tap) * tap_distance + k);
                }
                NAME(spread_weights)(g[0], g[1], g[2], rows + 4 * row, 1);
            }
            UNROLLED for (int column = 0; column < 4; column++)
                NAME(spread_weights)(rows[column], rows[4 + column], rows[8 + column], d[plane] + column, 4);
        }
        UNROLLED for (int i = 0; i < 16; i++) {
            NAME(vector) planes[4] = {d[0][i]};
            if (deep) NAME(spread_weights)(d[0][i], d[1][i], d[2][i], planes, 1);
            for (int plane = 0; plane < (deep ? 4 : 1); plane++)
                NAME(store)(u + (16 * plane + i) * distance + k, planes[plane]);
        }
    }
}

// The taps' gradient from the positions', as above but for the flip.
static TARGET void NAME(cube_weights_backward)(int32_t deep, const float *u, int64_t distance, int64_t count,
                                               float *weights, int64_t tap_distance) {
    for (int64_t k = 0; k < count; k += LANES) {
        NAME(vector) d[3][16];
        UNROLLED for (int i = 0; i < 16; i++) {
            NAME(vector) planes[4];
            for (int plane = 0; plane < (deep ? 4 : 1); plane++)
                planes[plane] = NAME(load)(u + (16 * plane + i) * distance + k);
            if (deep) NAME(collect_weights)(planes, 1);
            for (int plane = 0; plane < (deep ? 3 : 1); plane++) d[plane][i] = planes[plane];
        }
        for (int plane = 0; plane < (deep ? 3 : 1); plane++) {
            UNROLLED for (int column = 0; column < 4; column++) NAME(collect_weights)(d[plane] + column, 4);
            UNROLLED for (int row = 0; row < 3; row++) {
                NAME(collect_weights)(d[plane] + 4 * row, 1);
                UNROLLED for (int i = 0; i < 3; i++)
                    NAME(store)(weights + (9 * plane + 3 * row + i) * tap_distance + k, d[plane][4 * row + i]);
            }
        }
    }
}
