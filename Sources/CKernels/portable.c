#define FAMILY portable
#define TARGET 
#define LANES 4
#define TILE_ROWS 6
#include "family.h"
