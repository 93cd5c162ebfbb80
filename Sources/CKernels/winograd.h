// Winograd's minimal filtering for kernels of 3x3x3 or 1x3x3 taps at stride 1. A cube of outputs is computed from its
// neighbourhood of inputs with one product per position of the neighbourhood: 4x4x4 outputs from 6x6x6 inputs take 216
// products instead of 1728, 2x2x2 outputs from 4x4x4 take 64 instead of 216. Lavin and Gray, 'Fast algorithms for
// convolutional neural networks', CVPR 2016; in three dimensions Jia et al., PPoPP 2018. Along one axis
//     y = A'[(G g) * (B'd)],   dg = G'[(A dy) * (B'd)]
// F(2, 3) interpolates at 0, 1, -1 and infinity:
//     B'd = (d0 - d2, d1 + d2, d2 - d1, d1 - d3),   A'm = (m0 + m1 + m2, m1 - m2 - m3)
//     G g = (g0, (g0 + g1 + g2) / 2, (g0 - g1 + g2) / 2, g2)
// F(4, 3) at 0, a, -a, 2a, -2a and infinity. With a = 3/4 numbers stay of one size: in three dimensions float32 loses two to
// three times what the sum tap by tap loses; with the usual a = 1 it loses seven to nine times that.
//     B'd = (4 a^4 d0 - 5 a^2 d2 + d4, s + t, s - t, p + q, p - q, 4 a^4 d1 - 5 a^2 d3 + d5)
//           with s = d4 - 4 a^2 d2, t = a d3 - 4 a^3 d1, p = d4 - a^2 d2, q = 2 a d3 - 2 a^3 d1
//     A'm = (m0 + e + f, a g + 2 a h, a^2 e + 4 a^2 f, a^3 g + 8 a^3 h + m5)
//           with e = m1 + m2, f = m3 + m4, g = m1 - m2, h = m3 - m4
//     G g = (g0 / 4, -(g0 + a^2 g2 + a g1) / 6, -(g0 + a^2 g2 - a g1) / 6,
//            (g0 + 4 a^2 g2 + 2 a g1) / 24, (g0 + 4 a^2 g2 - 2 a g1) / 24, a^4 g2) / a^4
//
// Included once per family of vector instructions (family.h). Positions are numbered [depth][height][width]. Transforms
// run along one axis after the other, on LANES channels (or weights) at once.
#define POINT 0.75f

// What a transform makes of the numbers along an axis.
#define SPREAD_INPUTS 0    // B'd: as many as there are positions
#define SPREAD_OUTPUTS 1   // A dy: positions from outputs
#define COLLECT_OUTPUTS 2  // A'm: outputs from positions
#define SPREAD_WEIGHTS 3   // G g: positions from taps
#define COLLECT_WEIGHTS 4  // G'u: taps from positions

// How many numbers of an axis with `edge` outputs go in and come out.
INLINE int NAME(line_before)(const int transform, const int edge) {
    return transform == SPREAD_OUTPUTS ? edge : transform == SPREAD_WEIGHTS && edge > 1 ? 3 : WS_POSITIONS(edge);
}
INLINE int NAME(line_after)(const int transform, const int edge) {
    return transform == COLLECT_OUTPUTS ? edge : transform == COLLECT_WEIGHTS && edge > 1 ? 3 : WS_POSITIONS(edge);
}

INLINE void NAME(transform_by_two)(const int transform, NAME(vector) *x) {
    NAME(vector) x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3];
    switch (transform) {
    case SPREAD_INPUTS:
        x[0] = x0 - x2;
        x[1] = x1 + x2;
        x[2] = x2 - x1;
        x[3] = x1 - x3;
        break;
    case SPREAD_OUTPUTS:
        x[1] = x0 + x1;
        x[2] = x0 - x1;
        x[3] = -x1;
        break;
    case COLLECT_OUTPUTS:
        x[0] = x0 + x1 + x2;
        x[1] = x1 - x2 - x3;
        break;
    case SPREAD_WEIGHTS:
        x[1] = (x0 + x2) * 0.5f + x1 * 0.5f;
        x[2] = (x0 + x2) * 0.5f - x1 * 0.5f;
        x[3] = x2;
        break;
    case COLLECT_WEIGHTS:
        x[0] = x0 + (x1 + x2) * 0.5f;
        x[1] = (x1 - x2) * 0.5f;
        x[2] = (x1 + x2) * 0.5f + x3;
        break;
    }
}

INLINE void NAME(transform_by_four)(const int transform, NAME(vector) *x) {
    const float a = POINT, a2 = a * a, a3 = a * a2, a4 = a2 * a2;
    NAME(vector) x0 = x[0], x1 = x[1], x2 = x[2], x3 = x[3], x4 = x[4], x5 = x[5];
    NAME(vector) s, t, p, q;
    switch (transform) {
    case SPREAD_INPUTS:
        s = x4 - 4 * a2 * x2, t = a * x3 - 4 * a3 * x1;
        p = x4 - a2 * x2, q = 2 * a * x3 - 2 * a3 * x1;
        x[0] = 4 * a4 * x0 - 5 * a2 * x2 + x4;
        x[5] = 4 * a4 * x1 - 5 * a2 * x3 + x5;
        break;
    case SPREAD_OUTPUTS:
        s = x0 + a2 * x2, t = a * x1 + a3 * x3;
        p = x0 + 4 * a2 * x2, q = 2 * a * x1 + 8 * a3 * x3;
        x[5] = x3;
        break;
    case COLLECT_OUTPUTS:
        s = x1 + x2, t = x1 - x2, p = x3 + x4, q = x3 - x4;
        x[0] = x0 + s + p;
        x[1] = a * t + 2 * a * q;
        x[2] = a2 * s + 4 * a2 * p;
        x[3] = a3 * t + 8 * a3 * q + x5;
        return;
    case SPREAD_WEIGHTS:
        s = -1 / (6 * a4) * (x0 + a2 * x2), t = -1 / (6 * a3) * x1;
        p = 1 / (24 * a4) * (x0 + 4 * a2 * x2), q = 1 / (12 * a3) * x1;
        x[0] = 1 / (4 * a4) * x0;
        x[5] = x2;
        break;
    default:  // COLLECT_WEIGHTS
        s = -1 / (6 * a4) * (x1 + x2), t = -1 / (6 * a3) * (x1 - x2);
        p = 1 / (24 * a4) * (x3 + x4), q = 1 / (12 * a3) * (x3 - x4);
        x[0] = 1 / (4 * a4) * x0 + s + p;
        x[1] = t + q;
        x[2] = a2 * s + 4 * a2 * p + x5;
        return;
    }
    x[1] = s + t;
    x[2] = s - t;
    x[3] = p + q;
    x[4] = p - q;
}

INLINE void NAME(transform)(const int transform, const int edge, NAME(vector) *x) {
    if (edge == 4) NAME(transform_by_four)(transform, x);
    else if (edge == 2) NAME(transform_by_two)(transform, x);
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

// Calls `line` with the edge as a constant.
#define WITH_CONSTANT_EDGE(line, edge, ...) \
    if ((edge) == 4) NAME(line)(4, __VA_ARGS__); \
    else if ((edge) == 2) NAME(line)(2, __VA_ARGS__); \
    else NAME(line)(1, __VA_ARGS__)

// One line from memory to memory, its numbers `from_step` and `to_step` floats apart.
INLINE void NAME(move_line)(const int edge, const int transform, const float *from, int64_t from_step, float *to,
                            int64_t to_step) {
    NAME(vector) x[6];
    UNROLLED for (int i = 0; i < NAME(line_before)(transform, edge); i++) x[i] = NAME(load)(from + i * from_step);
    NAME(transform)(transform, edge, x);
    UNROLLED for (int i = 0; i < NAME(line_after)(transform, edge); i++) NAME(store)(to + i * to_step, x[i]);
}

// One line of `count` channels from k on of the voxels whose addresses are in a table. The line of the cube that stands
// `ahead` in the table is fetched into the cache: voxels of a neighbourhood lie too far apart for the processor to foresee.
INLINE void NAME(fetch_line)(const int edge, const int transform, const void *const *table, int64_t table_stride,
                             int64_t ahead, int64_t k, int32_t count, float *to) {
    NAME(vector) x[6];
    UNROLLED for (int i = 0; i < NAME(line_before)(transform, edge); i++) {
        x[i] = NAME(load_part)((const float *)table[i * table_stride] + k, count);
        __builtin_prefetch((const float *)table[i * table_stride + ahead] + k);
    }
    NAME(transform)(transform, edge, x);
    UNROLLED for (int i = 0; i < NAME(line_after)(transform, edge); i++) NAME(store)(to + i * LANES, x[i]);
}

// One line of outputs, plus the bias, to the voxels whose addresses are in a table, except those at `outside`.
INLINE void NAME(deliver_line)(const int edge, const float *from, NAME(vector) bias, const void *const *table,
                               int64_t table_stride, const void *outside, int64_t c, int32_t count) {
    NAME(vector) x[6];
    UNROLLED for (int i = 0; i < NAME(line_before)(COLLECT_OUTPUTS, edge); i++) x[i] = NAME(load)(from + i * LANES);
    NAME(transform)(COLLECT_OUTPUTS, edge, x);
    UNROLLED for (int i = 0; i < edge; i++) {
        const void *target = table[i * table_stride];
        if (target != outside) NAME(store_part)((float *)target + c, x[i] + bias, count);
    }
}

// The positions of one neighbourhood of inputs (or, with SPREAD_OUTPUTS, of one cube of the outputs' gradient), for
// `count` channels from k on; positions are `distance` floats apart.
INLINE void NAME(spread_voxels)(const int transform, const ws_cube *cube, const void *const *table,
                                int64_t table_stride, int64_t ahead, int64_t k, int32_t count, float *v,
                                int64_t distance) {
    const int edges[3] = {cube->depth, cube->height, cube->width};
    const int height = WS_POSITIONS(edges[1]), width = WS_POSITIONS(edges[2]);
    const int64_t row = width * LANES, plane = height * row;
    const int depths = NAME(line_before)(transform, edges[0]), heights = NAME(line_before)(transform, edges[1]);
    const int widths = NAME(line_before)(transform, edges[2]);
    _Alignas(64) float block[WS_MOST_POSITIONS * LANES];
    for (int d = 0; d < depths; d++)
        for (int h = 0; h < heights; h++) {
            const void *const *line = table + (d * heights + h) * widths * table_stride;
            WITH_CONSTANT_EDGE(fetch_line, edges[2], transform, line, table_stride, ahead, k, count,
                               block + d * plane + h * row);
        }
    for (int d = 0; d < depths; d++)
        for (int w = 0; w < width; w++) {
            float *line = block + d * plane + w * LANES;
            WITH_CONSTANT_EDGE(move_line, edges[1], transform, line, row, line, row);
        }
    for (int i = 0; i < height * width; i++)
        WITH_CONSTANT_EDGE(move_line, edges[0], transform, block + i * LANES, plane, v + i * distance,
                           height * width * distance);
}

// The outputs of one cube from its products, plus the bias; those at `outside` are dropped.
INLINE void NAME(collect_cube)(const ws_cube *cube, const float *m, int64_t distance, NAME(vector) bias,
                               const void *const *table, int64_t table_stride, const void *outside, int64_t c,
                               int32_t count) {
    const int height = WS_POSITIONS(cube->height), width = WS_POSITIONS(cube->width);
    const int64_t row = width * LANES, plane = height * row;
    _Alignas(64) float block[WS_MOST_POSITIONS * LANES];
    for (int i = 0; i < height * width; i++)
        WITH_CONSTANT_EDGE(move_line, cube->depth, COLLECT_OUTPUTS, m + i * distance, height * width * distance,
                           block + i * LANES, plane);
    for (int d = 0; d < cube->depth; d++) {
        for (int w = 0; w < width; w++) {
            float *line = block + d * plane + w * LANES;
            WITH_CONSTANT_EDGE(move_line, cube->height, COLLECT_OUTPUTS, line, row, line, row);
        }
        for (int h = 0; h < cube->height; h++)
            WITH_CONSTANT_EDGE(deliver_line, cube->width, block + d * plane + h * row, bias,
                               table + (d * cube->height + h) * cube->width * table_stride, table_stride, outside, c,
                               count);
    }
}

// Spreads `count` neighbourhoods (or cubes of outputs): v[position][cube][channel], rows `row_stride` long, zero beyond
// the channels up to a whole vector and, up to a whole number of register tiles, beyond the cubes; positions are `distance`
// floats apart. The channels are those of the voxels from `first` on.
INLINE void NAME(spread_all)(const int transform, const ws_cube *cube, const void *const *table, int64_t table_stride,
                             int32_t count, int32_t first, int32_t channels, int64_t row_stride, float *v,
                             int64_t distance) {
    for (int32_t i = 0; i < count; i++)
        for (int32_t k = 0; k < channels; k += LANES) {
            float *target = v + i * row_stride + k;
            if (channels - k >= LANES)
                NAME(spread_voxels)(transform, cube, table + i, table_stride, i + 1 < count, first + k, LANES, target,
                                    distance);
            else
                NAME(spread_voxels)(transform, cube, table + i, table_stride, i + 1 < count, first + k, channels - k,
                                    target, distance);
        }
    if (transform != SPREAD_INPUTS) return;
    int32_t whole = (count + TILE_ROWS / 3 - 1) / (TILE_ROWS / 3) * (TILE_ROWS / 3);
    for (int32_t position = 0; position < ws_positions(cube); position++)
        __builtin_memset(v + position * distance + count * row_stride, 0,
                         sizeof(float) * (whole - count) * row_stride);
}

// m[cube][c] += sum over k of v[cube][k] * u[k][c], or = if `fresh`, for one position and one panel.
INLINE void NAME(multiply_position)(const int fresh, const float *v, int64_t row_stride, int32_t count, int32_t inputs,
                                    const float *u, float *m) {
    const void *rows[TILE_ROWS];
    for (int32_t p = 0; p < count; p += TILE_ROWS) {
        int32_t left = count - p;
        for (int r = 0; r < TILE_ROWS; r++) rows[r] = v + (p + r) * row_stride;
        float *tile = m + p * PANEL;
        if (left > TILE_ROWS * 2 / 3) NAME(multiply_tile)(fresh, TILE_ROWS, rows, 0, 1, inputs, 0, u, PANEL, 0, tile);
        else if (left > TILE_ROWS / 3) NAME(multiply_tile)(fresh, TILE_ROWS * 2 / 3, rows, 0, 1, inputs, 0, u, PANEL, 0, tile);
        else NAME(multiply_tile)(fresh, TILE_ROWS / 3, rows, 0, 1, inputs, 0, u, PANEL, 0, tile);
    }
}

static TARGET void NAME(multiply_cubes)(const ws_cube *cube, const void *const *inputs_table,
                                        const void *const *outputs_table, int64_t table_stride, int32_t cubes,
                                        const void *outside, int32_t inputs, int32_t outputs, const float *weights,
                                        const float *bias, float *scratch) {
    const int32_t positions = ws_positions(cube);
    int64_t row_stride = WS_WHOLE(inputs, LANES);
    int32_t batch = ws_cube_batch(positions, row_stride + PANEL, WS_TILE);
    int64_t v_distance = WS_ROW_STRIDE(batch * row_stride), m_distance = WS_ROW_STRIDE(batch * PANEL);
    float *v = scratch, *m = scratch + positions * v_distance;
    for (int32_t first = 0; first < cubes; first += batch) {
        int32_t count = cubes - first < batch ? cubes - first : batch;
        NAME(spread_all)(SPREAD_INPUTS, cube, inputs_table + first, table_stride, count, 0, inputs, row_stride,
                         v, v_distance);
        const float *u = weights;
        for (int32_t panel = 0; panel < outputs; panel += PANEL) {
            for (int32_t position = 0; position < positions; position++, u += inputs * PANEL)
                NAME(multiply_position)(1, v + position * v_distance, row_stride, count, inputs, u,
                                        m + position * m_distance);
            for (int32_t i = 0; i < count; i++)
                for (int32_t c = 0; c < PANEL && panel + c < outputs; c += LANES)
                    NAME(collect_cube)(cube, m + i * PANEL + c, m_distance, NAME(load)(bias + panel + c),
                                       outputs_table + first + i, table_stride, outside, panel + c,
                                       outputs - panel - c);
        }
    }
}

static TARGET void NAME(outer_cubes)(const ws_cube *cube, const void *const *inputs_table,
                                     const void *const *outputs_table, int64_t table_stride, int32_t cubes,
                                     int32_t inputs, int32_t outputs, int32_t fresh, float *scratch, float *sums) {
    const int32_t positions = ws_positions(cube);
    int64_t row_stride = WS_WHOLE(inputs, LANES), width = WS_WHOLE(outputs, PANEL);
    int32_t batch = ws_cube_batch(positions, row_stride + width, WS_FEWEST_OUTER_CUBES);
    int64_t v_distance = WS_ROW_STRIDE(batch * row_stride), d_distance = WS_ROW_STRIDE(batch * width);
    float *v = scratch, *d = scratch + positions * v_distance;
    const void *rows[WS_CHUNK];
    int64_t index[WS_CHUNK];
    for (int32_t i = 0; i < batch; i++) index[i] = i;
    // Channels that fill up the last panel.
    if (outputs % PANEL != 0) __builtin_memset(d, 0, sizeof(float) * positions * d_distance);
    for (int32_t first = 0; first < cubes; first += batch) {
        int32_t count = cubes - first < batch ? cubes - first : batch;
        NAME(spread_all)(SPREAD_INPUTS, cube, inputs_table + first, table_stride, count, 0, inputs, row_stride,
                         v, v_distance);
        NAME(spread_all)(SPREAD_OUTPUTS, cube, outputs_table + first, table_stride, count, 0, outputs, width, d,
                         d_distance);
        for (int32_t position = 0; position < positions; position++) {
            for (int32_t i = 0; i < count; i++) rows[i] = v + position * v_distance + i * row_stride;
            for (int32_t panel = 0; panel < outputs; panel += PANEL)
                NAME(gather_outer)(rows, 0, count, 1, inputs, 0, d + position * d_distance + panel, index, width,
                                   PANEL, fresh && first == 0, sums + position * inputs * width + panel, width);
        }
    }
}

// u[position] from the taps of `count` numbers each; taps and positions are `tap_distance` and `distance` apart. What is
// read next lies `ahead`.
static TARGET void NAME(cube_weights)(const ws_cube *cube, int32_t flipped, const float *weights, int64_t tap_distance,
                                      int64_t count, int64_t ahead, float *u, int64_t distance) {
    const int depths = cube->depth > 1 ? 3 : 1;
    const int height = WS_POSITIONS(cube->height), width = WS_POSITIONS(cube->width);
    const int64_t row = width * LANES, plane = height * row, tap = flipped ? -tap_distance : tap_distance;
    const float *first = flipped ? weights + (depths * 9 - 1) * tap_distance : weights;
    _Alignas(64) float block[WS_MOST_POSITIONS * LANES];
    for (int64_t k = 0; k < count; k += LANES) {
        // The same channels of the next input: taps lie too far apart for the processor to foresee.
        for (int i = 0; i < depths * 9; i++) __builtin_prefetch(weights + i * tap_distance + ahead + k);
        for (int d = 0; d < depths; d++) {
            for (int h = 0; h < 3; h++)
                WITH_CONSTANT_EDGE(move_line, cube->width, SPREAD_WEIGHTS, first + (d * 9 + h * 3) * tap + k, tap,
                                   block + d * plane + h * row, LANES);
            for (int w = 0; w < width; w++) {
                float *line = block + d * plane + w * LANES;
                WITH_CONSTANT_EDGE(move_line, cube->height, SPREAD_WEIGHTS, line, row, line, row);
            }
        }
        for (int i = 0; i < height * width; i++)
            WITH_CONSTANT_EDGE(move_line, cube->depth, SPREAD_WEIGHTS, block + i * LANES, plane, u + i * distance + k,
                               height * width * distance);
    }
}

// The taps' gradient from the positions', as above but for the flip.
static TARGET void NAME(cube_weights_backward)(const ws_cube *cube, const float *u, int64_t distance, int64_t count,
                                               float *weights, int64_t tap_distance) {
    const int depths = cube->depth > 1 ? 3 : 1;
    const int height = WS_POSITIONS(cube->height), width = WS_POSITIONS(cube->width);
    const int64_t row = width * LANES, plane = height * row;
    _Alignas(64) float block[WS_MOST_POSITIONS * LANES];
    for (int64_t k = 0; k < count; k += LANES) {
        for (int i = 0; i < height * width; i++)
            WITH_CONSTANT_EDGE(move_line, cube->depth, COLLECT_WEIGHTS, u + i * distance + k,
                               height * width * distance, block + i * LANES, plane);
        for (int d = 0; d < depths; d++) {
            for (int w = 0; w < width; w++) {
                float *line = block + d * plane + w * LANES;
                WITH_CONSTANT_EDGE(move_line, cube->height, COLLECT_WEIGHTS, line, row, line, row);
            }
            for (int h = 0; h < 3; h++)
                WITH_CONSTANT_EDGE(move_line, cube->width, COLLECT_WEIGHTS, block + d * plane + h * row, LANES,
                                   weights + (d * 9 + h * 3) * tap_distance + k, tap_distance);
        }
    }
}

// Few cubes: slab by slab of inputs. The spread weights of a slab of a panel, or their gradient, stay in the cache while all
// cubes are multiplied with them.
static TARGET void NAME(spread_cubes)(const ws_cube *cube, const void *const *inputs_table, int64_t table_stride,
                                      int32_t cubes, int32_t first, int32_t inputs, float *v) {
    const int32_t slab = ws_slab_inputs(cube);
    NAME(spread_all)(SPREAD_INPUTS, cube, inputs_table, table_stride, cubes, first, inputs, slab, v,
                     ws_spread_distance(cubes, slab));
}

static TARGET void NAME(spread_gradients)(const ws_cube *cube, const void *const *outputs_table, int64_t table_stride,
                                          int32_t cubes, int32_t first, float *d) {
    NAME(spread_all)(SPREAD_OUTPUTS, cube, outputs_table, table_stride, cubes, first, PANEL, PANEL, d,
                     ws_spread_distance(cubes, PANEL));
}

static TARGET void NAME(multiply_slab)(const ws_cube *cube, const float *v, int32_t cubes, int32_t inputs,
                                       const float *u, int32_t fresh, float *m) {
    const int32_t slab = ws_slab_inputs(cube);
    const int64_t v_distance = ws_spread_distance(cubes, slab), u_distance = ws_slab_distance(cube, PANEL);
    const int64_t m_distance = ws_spread_distance(cubes, PANEL);
    for (int32_t i = 0; i < ws_positions(cube); i++, v += v_distance, u += u_distance, m += m_distance) {
        if (fresh) NAME(multiply_position)(1, v, slab, cubes, inputs, u, m);
        else NAME(multiply_position)(0, v, slab, cubes, inputs, u, m);
    }
}

static TARGET void NAME(collect_cubes)(const ws_cube *cube, const float *m, int32_t cubes,
                                       const void *const *outputs_table, int64_t table_stride, const void *outside,
                                       int32_t first, int32_t outputs, const float *bias) {
    for (int32_t i = 0; i < cubes; i++)
        for (int32_t c = 0; c < outputs; c += LANES)
            NAME(collect_cube)(cube, m + i * PANEL + c, ws_spread_distance(cubes, PANEL), NAME(load)(bias + c),
                               outputs_table + i, table_stride, outside, first + c, outputs - c);
}

// How many inputs of a slab go together where a chunk has no more than FEW_CUBES: the sums of so many at one plane of
// positions nearly fit a first-level cache. More cubes would be read again for each part of a slab.
#define OUTER_INPUTS (TILE_ROWS * 2 / 3)
#define FEW_CUBES (2 * WS_TILE)

// The taps' gradient from the sums of a plane of positions, `w` along the width: along depth in place, along height to
// block[tap along depth][tap along height][w]. Numbers of a position are `span`.
INLINE void NAME(collect_plane)(const ws_cube *cube, int w, int64_t span, float *plane, float *block) {
    const int depths = cube->depth > 1 ? 3 : 1, height = WS_POSITIONS(cube->height), width = WS_POSITIONS(cube->width);
    for (int64_t j = 0; j < span; j += LANES) {
        for (int h = 0; h < height; h++) {
            float *line = plane + h * span + j;
            WITH_CONSTANT_EDGE(move_line, cube->depth, COLLECT_WEIGHTS, line, height * span, line, height * span);
        }
        for (int d = 0; d < depths; d++)
            WITH_CONSTANT_EDGE(move_line, cube->height, COLLECT_WEIGHTS, plane + d * height * span + j, span,
                               block + (d * 3 * width + w) * span + j, width * span);
    }
}

static TARGET void NAME(outer_slab)(const ws_cube *cube, int32_t chunks, const float *const *v, const float *const *d,
                                    const int32_t *cubes, int32_t inputs, float *scratch, float *weights,
                                    int64_t tap_distance, int64_t input_distance) {
    const int depths = cube->depth > 1 ? 3 : 1;
    const int width = WS_POSITIONS(cube->width), lines = ws_positions(cube) / width;
    const int32_t slab = ws_slab_inputs(cube);
    const void *rows[WS_CUBES];
    int64_t index[WS_CUBES];
    for (int32_t i = 0; i < WS_CUBES; i++) index[i] = i;
    const int32_t most = cubes[0] <= FEW_CUBES ? OUTER_INPUTS : slab;
    for (int32_t first = 0; first < inputs; first += most) {
        const int32_t some = inputs - first < most ? inputs - first : most;
        const int64_t span = some * PANEL;
        float *plane = scratch, *block = scratch + lines * span;
        for (int w = 0; w < width; w++) {
            for (int32_t chunk = 0; chunk < chunks; chunk++) {
                const int64_t v_distance = ws_spread_distance(cubes[chunk], slab);
                const int64_t d_distance = ws_spread_distance(cubes[chunk], PANEL);
                for (int32_t i = 0; i < cubes[chunk]; i++) rows[i] = v[chunk] + i * slab;
                for (int line = 0; line < lines; line++) {
                    const int64_t position = line * width + w;
                    // What the next line reads lies too far ahead for the processor to foresee.
                    const int64_t next = line + 1 < lines ? position + width : (w + 1) % width;
                    for (int32_t i = 0; i < cubes[chunk]; i++) {
                        __builtin_prefetch((const float *)rows[i] + next * v_distance + first);
                        for (int c = 0; c < PANEL; c += 16)
                            __builtin_prefetch(d[chunk] + next * d_distance + i * PANEL + c);
                    }
                    const int64_t k = position * v_distance + first;
                    const float *dy = d[chunk] + position * d_distance;
                    float *sums = plane + line * span;
                    if (chunk == 0)
                        NAME(outer_tiles)(1, rows, cubes[chunk], k, some, 0, dy, index, PANEL, sums, PANEL);
                    else NAME(outer_tiles)(0, rows, cubes[chunk], k, some, 0, dy, index, PANEL, sums, PANEL);
                }
            }
            NAME(collect_plane)(cube, w, span, plane, block);
        }
        for (int32_t k = 0; k < some; k++)
            for (int64_t c = 0; c < PANEL; c += LANES)
                for (int line = 0; line < depths * 3; line++)
                    WITH_CONSTANT_EDGE(move_line, cube->width, COLLECT_WEIGHTS,
                                       block + line * width * span + k * PANEL + c, span,
                                       weights + line * 3 * tap_distance + (first + k) * input_distance + c,
                                       tap_distance);
    }
}
