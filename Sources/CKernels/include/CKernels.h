// Microkernels over channels-last feature maps. No threads, no allocation, no global state.
//
// Each operation has one readable body, compiled once per family of vector instructions (see family.h); a kernel set is
// the table of one family. Lengths are in elements, pixels are voxels of a feature map [N, D, H, W, C] in linear order.
#pragma once
#include <stdint.h>

// The most pixels that one call of gather_multiply or gather_outer takes.
#define WS_CHUNK 192
// Divides WS_CHUNK; every kernel set's tiles divide it. Tables are filled up to a multiple of it.
#define WS_TILE 12
// The most cubes that one call takes.
#define WS_CUBES 48

// A stretch of consecutive voxels: the visible part of a row, or a whole dense sample.
typedef struct {
    int64_t start;
    int64_t count;
} ws_span;

// `count` voxels of one row of a feature map, `step` apart along the width.
typedef struct {
    int32_t sample, depth, height, width, count, step;
} ws_run;

// The outputs that are computed together: along each axis 4 or 2 where the kernel has three taps, 1 where it has one.
// Their neighbourhood has two inputs more along the axes of three taps; each of its voxels is a position of a product.
typedef struct {
    int32_t depth, height, width;
} ws_cube;
// The most positions of a cube.
#define WS_MOST_POSITIONS 216

// How the voxels of one feature map (the pixels) gather their neighbours in another (the source), per tap of a kernel.
// Axes are depth, height, width. Source index at pixel o and tap t:
//   transposed == 0:  o * stride - padding + t * dilation
//   transposed == 1:  (o + padding - t * dilation) / stride, where that divides
typedef struct {
    int32_t source[3], pixels[3];
    int32_t kernel[3], stride[3], padding[3], dilation[3];
    int32_t transposed;
} ws_geometry;

// Which voxels of a source hold numbers; the others count as zero and are not read. Along depth and height a flag stands
// for the `cell` voxels of a block, along the width for one: [sample][depth / cell][height / cell][width].
typedef struct {
    const uint8_t *visible;
    int32_t grid[2], cell[2];
} ws_mask;

// Fills table[t * table_stride + p] with the address of the source voxel that pixel p (numbered through the runs) sees
// at tap t, or `zero` where that lies outside or is hidden by `mask` (NULL: nothing is), also for p up to the next
// multiple of WS_TILE; and index[p] with the pixel's linear index. Source voxels are voxel_bytes apart. Returns the number
// of pixels.
int32_t ws_gather(const ws_geometry *g, const ws_mask *mask, const ws_run *runs, int32_t run_count, const void *source,
                  int64_t voxel_bytes, const void *zero, const void **table, int64_t table_stride, int64_t *index);

// Turns what ws_gather wrote into a single tap with inputs for all of them: copies what each pixel sees to its row,
// [tap][input], and puts the rows' addresses in their places; zero rows up to the next multiple of WS_TILE.
void ws_unfold(const void **table, int64_t table_stride, int32_t pixels, int32_t taps, int32_t inputs, float *rows);

typedef struct {
    const char *name;
    // Output channels of one packed weight panel.
    int32_t panel;

    // y[index[p]][c] = bias[c] + sum over taps t and inputs k of table[t][p][k] * weights[t][k][c], for c < columns.
    // weights: [taps][inputs][panel], zero beyond `columns`, rows of a panel weight_stride apart; as much from `next` on, if
    // not NULL, is fetched into the cache meanwhile; bias: [panel], or NULL to add to what y holds; y points at the panel's
    // first channel and has row_stride channels. A tap that only sees `zero` is skipped.
    void (*gather_multiply)(const void *const *table, int64_t table_stride, int32_t pixels, int32_t taps,
                            int32_t inputs, const void *zero, const float *weights, int64_t weight_stride,
                            const float *next, const float *bias, float *y, const int64_t *index, int64_t row_stride,
                            int32_t columns);

    // sums[t][k][c] += sum over pixels p of table[t][p][k] * dy[index[p]][c], or = if `fresh`, for c < columns; rows of sums
    // are sums_stride apart. dy points at the panel's first channel and has row_stride channels.
    void (*gather_outer)(const void *const *table, int64_t table_stride, int32_t pixels, int32_t taps, int32_t inputs,
                         const void *zero, const float *dy, const int64_t *index, int64_t row_stride,
                         int32_t columns, int32_t fresh, float *sums, int64_t sums_stride);

    // Products of bfloat16 numbers, summed in float32. A pair is two of them in 32 bits, the even one in the low half.
    // Rounding is to the nearest, ties to even; float32 and bfloat16 denormals count as zero. A pair's products are
    // added one after the other.

    // 1 if the processor multiplies pairs in one instruction, 0 if every product is widened to float32.
    int32_t multiplies_pairs;

    // 1 if it multiplies whole matrices of pairs (tiles.h).
    int32_t multiplies_tiles;

    // Rows of pairs are filled up to a multiple of this with zeros, in maps and in weights.
    int32_t pair_multiple;

    // pairs[i] = (x[2i], x[2i + 1]) of each row, whose last pair is filled up with zero if `channels` is odd.
    void (*round_rows)(const float *x, int64_t rows, int32_t channels, uint32_t *pairs);

    // pairs[i] = (even[i], odd[i]); `odd` may be NULL for zeros.
    void (*interleave)(const float *even, const float *odd, int32_t count, uint32_t *pairs);

    // gather_multiply of a source of pairs of channels, by weights [taps][pairs][panel] of pairs of inputs.
    void (*gather_multiply_pairs)(const void *const *table, int64_t table_stride, int32_t pixels, int32_t taps,
                                  int32_t pairs, const void *zero, const uint32_t *weights, const float *bias, float *y,
                                  const int64_t *index, int64_t row_stride, int32_t columns);

    // gather_outer of a float32 source and dy, both rounded on the way, with all `outputs` at once: sums[t][k][c] with
    // whole panels of c, or with tiles sums[t][c][k] with whole panels of both. scratch: ws_outer_scratch elements.
    void (*gather_outer_pairs)(const void *const *table, int64_t table_stride, int32_t pixels, int32_t taps,
                               int32_t inputs, const void *zero, const float *dy, const int64_t *index,
                               int32_t outputs, uint32_t *scratch, float *sums);

    // Winograd's minimal filtering of kernels of 3x3x3 or 1x3x3 taps at stride 1 (winograd.h). Tables hold, per input of a
    // cube's neighbourhood or per output of the cube, the addresses of their first channels for each of the cubes; inputs
    // outside are zeros. scratch: ws_cube_scratch elements.

    // y = bias + sum over taps and inputs, for every output of the cubes but those at `outside`. weights: the result of
    // cube_weights [panel][position][inputs][panel]; bias: whole panels.
    void (*multiply_cubes)(const ws_cube *cube, const void *const *inputs_table, const void *const *outputs_table,
                           int64_t table_stride, int32_t cubes, const void *outside, int32_t inputs, int32_t outputs,
                           const float *weights, const float *bias, float *scratch);

    // The same for few cubes, step by step. What is spread or multiplied lies as [position][cube][columns], positions
    // ws_spread_distance(cubes, columns) apart, the spread weights of a slab of inputs as [position][input][panel], positions
    // ws_slab_distance apart.

    // v: a slab of inputs, those of the voxels from `first` on. d: a panel of the gradients, which the weights' gradient wants.
    void (*spread_cubes)(const ws_cube *cube, const void *const *inputs_table, int64_t table_stride, int32_t cubes,
                         int32_t first, int32_t inputs, float *v);
    void (*spread_gradients)(const ws_cube *cube, const void *const *outputs_table, int64_t table_stride, int32_t cubes,
                             int32_t first, float *d);
    // m += v u, or m = v u if `fresh`.
    void (*multiply_slab)(const ws_cube *cube, const float *v, int32_t cubes, int32_t inputs, const float *u,
                          int32_t fresh, float *m);
    // y = bias + what m comes to, for some outputs (at most a panel) from `first` on. bias: a panel.
    void (*collect_cubes)(const ws_cube *cube, const float *m, int32_t cubes, const void *const *outputs_table,
                          int64_t table_stride, const void *outside, int32_t first, int32_t outputs, const float *bias);
    // weights[tap][input][panel] = the weights' gradient, summed over the cubes of all chunks; taps are `tap_distance` and
    // inputs `input_distance` apart. scratch: as large as the spread weights of a slab.
    void (*outer_slab)(const ws_cube *cube, int32_t chunks, const float *const *v, const float *const *d,
                       const int32_t *cubes, int32_t inputs, float *scratch, float *weights, int64_t tap_distance,
                       int64_t input_distance);

    // sums[position][inputs][whole panels] += the products whose cube_weights_backward is the weights' gradient, or = if
    // `fresh`.
    void (*outer_cubes)(const ws_cube *cube, const void *const *inputs_table, const void *const *outputs_table,
                        int64_t table_stride, int32_t cubes, int32_t inputs, int32_t outputs, int32_t fresh,
                        float *scratch, float *sums);

    // `count` numbers (whole vectors) of every position from those of every tap; the taps in reverse if `flipped`. What
    // lies `ahead` of them is fetched into the cache.
    void (*cube_weights)(const ws_cube *cube, int32_t flipped, const float *weights, int64_t tap_distance, int64_t count,
                         int64_t ahead, float *u, int64_t distance);

    // The transpose of cube_weights, not flipped.
    void (*cube_weights_backward)(const ws_cube *cube, const float *u, int64_t distance, int64_t count, float *weights,
                                  int64_t tap_distance);

    // The mean of the voxels in `spans` less pivot[c], and the sum of squared deviations from that mean.
    void (*moments)(const float *x, const float *pivot, const ws_span *spans, int64_t span_count, int32_t channels,
                    float *offset, float *squares);

    // y = a((x - mean[c]) * scale[c] + shift[c] + residual), a(z) = z for z > 0, slope * z otherwise. residual may be
    // NULL, y may be x or residual. If `packed`, here and below, x holds the voxels in `spans` alone, one after another, and
    // is no place for results.
    void (*affine_activate)(const float *x, int32_t packed, const float *mean, const float *scale, const float *shift,
                            const float *residual, float slope, const ws_span *spans, int64_t span_count,
                            int32_t channels, float *y);

    // dz = dy * a'(z), and the per-channel sums of dz and of dz * (x - mean) * rate. The sign of z, the activation's input, is
    // that of y, or without y (NULL) that of (x - mean) * scale + shift. dz may be dy, or NULL if it is not wanted.
    void (*norm_backward_sums)(const float *x, int32_t packed, const float *y, const float *dy, const float *mean,
                               const float *rate, const float *scale, const float *shift, float slope, const ws_span *spans,
                               int64_t span_count, int32_t channels, float *dz, float *sum, float *product);

    // dx = dy * a'(z) * a[c] + (x - mean[c]) * b[c] + constant[c], with z as above. dx may be dy or x.
    void (*norm_backward_apply)(const float *x, int32_t packed, const float *y, const float *dy, const float *mean,
                                const float *scale, const float *shift, const float *a, const float *b,
                                const float *constant, float slope, const ws_span *spans, int64_t span_count,
                                int32_t channels, float *dx);

    // sum[c] += x[v][c] over the voxels in `spans`.
    void (*channel_sums)(const float *x, const ws_span *spans, int64_t span_count, int32_t channels, float *sum);

    // Multiplies and adds on registers alone (in bfloat16 if `paired`) and returns the number of operations. sums: two
    // vectors.
    int64_t (*multiply_registers)(int32_t paired, int64_t rounds, float *sums);
} ws_kernels;

// Tells the processor that this thread waits for another one's store.
static inline void ws_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

// y[column][row] = x[row][column]; rows of x and of y are as many floats apart.
void ws_transpose(const float *x, int64_t x_stride, int32_t rows, int32_t columns, float *y, int64_t y_stride);

// The scratch of gather_outer_pairs, in 32-bit elements.
int64_t ws_outer_scratch(int32_t inputs, int32_t outputs);

// The floats of scratch that multiply_cubes (`outputs`: one panel) and outer_cubes take.
int64_t ws_cube_scratch(const ws_cube *cube, int32_t inputs, int32_t outputs);

// The inputs of few cubes that are spread and multiplied at once.
int32_t ws_slab_inputs(const ws_cube *cube);
// Floats from one position to the next: in a slab's spread weights, and where so many cubes are spread to columns.
int64_t ws_slab_distance(const ws_cube *cube, int32_t panel);
int64_t ws_spread_distance(int32_t cubes, int32_t columns);

// The kernel sets of this build, slowest first; NULL for one that this processor lacks.
int32_t ws_kernel_set_count(void);
const ws_kernels *ws_kernel_set(int32_t index);

// The matrix kernels on a processor without matrix registers: slow, for tests.
const ws_kernels *ws_emulated_tiles(void);
