#define FAMILY amx
#define TARGET __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx512bf16,amx-tile,amx-bf16,fma")))
#define LANES 16
#define TILE_ROWS 12
#define MULTIPLIES_PAIRS 1
#define TILES 1
#include "family.h"
