#define FAMILY avx512
#define TARGET __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,fma")))
#define LANES 16
#define TILE_ROWS 12
#define MULTIPLIES_PAIRS 0
#include "family.h"
