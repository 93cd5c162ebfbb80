// Compiles every kernel body for one family of vector instructions and gathers them in a table. Included with FAMILY (a
// name), TARGET (the function attribute), LANES (floats per vector), TILE_ROWS (a multiple of 3) and MULTIPLIES_PAIRS (1
// for the AVX-512 BF16 instructions) defined, and TILES where there are matrix registers (tiles.h).
#include "CKernels.h"
#include "sizes.h"

#define JOINED(a, b) a##_##b
#define JOIN(a, b) JOINED(a, b)
#define NAME(function) JOIN(function, FAMILY)
#define TEXT(a) #a
#define QUOTED(a) TEXT(a)
#define INLINE static inline __attribute__((always_inline)) TARGET
#define UNROLLED _Pragma("clang loop unroll(full)")
// Each iteration reads only where it writes.
#define IN_PLACE _Pragma("clang loop vectorize(assume_safety)")
#pragma clang fp contract(fast)

typedef float NAME(vector) __attribute__((vector_size(4 * LANES)));
typedef float NAME(unaligned) __attribute__((vector_size(4 * LANES), aligned(4)));
#define PANEL (2 * LANES)

INLINE NAME(vector) NAME(load)(const float *p) { return *(const NAME(unaligned) *)p; }
INLINE void NAME(store)(float *p, NAME(vector) v) { *(NAME(unaligned) *)p = v; }

#include "bfloat16.h"
#include "convolution.h"
#include "normalization.h"
#include "winograd.h"
#ifdef TILES
#include "tiles.h"
#define PAIRS_OR_TILES(function) NAME(function##_tiles)
#else
#define PAIRS_OR_TILES(function) NAME(function##_pairs)
#endif
#include "peak.h"

const ws_kernels NAME(ws_kernels) = {
    .name = QUOTED(FAMILY),
    .panel = 2 * LANES,
    .gather_multiply = NAME(gather_multiply),
    .gather_outer = NAME(gather_outer),
    .multiplies_pairs = MULTIPLIES_PAIRS,
#ifdef TILES
    .multiplies_tiles = 1,
    .pair_multiple = TILE_EDGE,
#else
    .multiplies_tiles = 0,
    .pair_multiple = 1,
#endif
    .round_rows = NAME(round_rows),
    .interleave = NAME(interleave),
    .gather_multiply_pairs = PAIRS_OR_TILES(gather_multiply),
    .gather_outer_pairs = PAIRS_OR_TILES(gather_outer),
    .multiply_cubes = NAME(multiply_cubes),
    .spread_cubes = NAME(spread_cubes),
    .spread_gradients = NAME(spread_gradients),
    .multiply_slab = NAME(multiply_slab),
    .collect_cubes = NAME(collect_cubes),
    .outer_slab = NAME(outer_slab),
    .outer_cubes = NAME(outer_cubes),
    .cube_weights = NAME(cube_weights),
    .cube_weights_backward = NAME(cube_weights_backward),
    .moments = NAME(moments),
    .affine_activate = NAME(affine_activate),
    .norm_backward_sums = NAME(norm_backward_sums),
    .norm_backward_apply = NAME(norm_backward_apply),
    .channel_sums = NAME(channel_sums),
    .multiply_registers = NAME(multiply_registers),
};
