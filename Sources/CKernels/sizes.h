#pragma once
#include "CKernels.h"

// Floats of packed weights that a group of taps may fill: half of a small second-level cache (512 KiB).
#define WS_CACHED_WEIGHTS (64 * 1024)
// Elements between the rows of a scratch matrix of so many columns: an odd number of cache lines, so that a column does
// not fall on a few sets of the first-level cache.
#define WS_ROW_STRIDE(columns) ((((columns) + 15) / 16 | 1) * 16)
// `count` rounded up to a multiple of `unit`.
#define WS_WHOLE(count, unit) (((int64_t)(count) + (unit) - 1) / (unit) * (unit))
// Floats of cubes that are spread at once: a second-level cache of 1 MiB, unless the fewest cubes take more.
#define WS_CACHED_CUBES (256 * 1024)

// The positions along an axis with so many outputs, and of a whole cube.
#define WS_POSITIONS(edge) ((edge) > 1 ? (edge) + 2 : 1)
static inline int32_t ws_positions(const ws_cube *cube) {
    return WS_POSITIONS(cube->depth) * WS_POSITIONS(cube->height) * WS_POSITIONS(cube->width);
}

// How many cubes are spread at once, when each of their positions takes so many floats; at least `fewest`.
static inline int32_t ws_cube_batch(int32_t positions, int64_t floats, int32_t fewest) {
    int64_t count = WS_CACHED_CUBES / (positions * floats) / WS_TILE * WS_TILE;
    return (int32_t)(count < fewest ? fewest : count > WS_CUBES ? WS_CUBES : count);
}
// Sums are read and written once per batch: fewer cubes would not be worth that.
#define WS_FEWEST_OUTER_CUBES (2 * WS_TILE)
