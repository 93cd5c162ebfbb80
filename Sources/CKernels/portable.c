#define FAMILY portable
#define TARGET 
#define LANES 4
#define TILE_ROWS 6
#define MULTIPLIES_PAIRS 0
#include "family.h"
