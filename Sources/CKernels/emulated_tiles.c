#define FAMILY emulated_tiles
#define TARGET
#define LANES 16
#define TILE_ROWS 6
#define MULTIPLIES_PAIRS 0
#define TILES 2
// Vectors of 64 bytes are no registers everywhere.
#define VECTOR_CONSTRAINT "+m"
// Nor does any function that takes or returns one outlive inlining.
#pragma clang diagnostic ignored "-Wpsabi"
#include "family.h"
