#define FAMILY avx2
#define TARGET __attribute__((target("avx2,fma")))
#define LANES 8
#define TILE_ROWS 6
#define MULTIPLIES_PAIRS 0
#include "family.h"
