#pragma once
// Floats of packed weights that a group of taps may fill: half of a small second-level cache (512 KiB).
#define WS_CACHED_WEIGHTS (64 * 1024)
