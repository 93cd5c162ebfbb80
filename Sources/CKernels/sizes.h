#pragma once
// Floats of packed weights that a group of taps may fill: half of a small second-level cache (512 KiB).
#define WS_CACHED_WEIGHTS (64 * 1024)
// Elements between the rows of a scratch matrix of so many columns: an odd number of cache lines, so that a column does
// not fall on a few sets of the first-level cache.
#define WS_ROW_STRIDE(columns) ((((columns) + 15) / 16 | 1) * 16)
