// What the multipliers reach on registers alone: the yardstick of benchmarks.

#ifndef VECTOR_CONSTRAINT
#define VECTOR_CONSTRAINT "+x"
#endif

// `rounds` times as many independent products as a register tile has accumulators.
INLINE void NAME(saturate)(const int paired, int64_t rounds, float *sums) {
    NAME(vector) sum[2 * TILE_ROWS], zero = {};
    NAME(words) half = (NAME(words)){} + 0x3f003f00u;
    UNROLLED for (int i = 0; i < 2 * TILE_ROWS; i++) sum[i] = zero;
    NAME(vector) a = NAME(load)(sums), b = NAME(load)(sums + LANES);
    for (int64_t round = 0; round < rounds; round++) {
        UNROLLED for (int i = 0; i < 2 * TILE_ROWS; i++) {
            if (paired) sum[i] = NAME(add_products)(sum[i], (NAME(words))a, half);
            else sum[i] += a * b;
        }
        // The compiler must not foresee the next round's operands.
        __asm__ volatile("" : VECTOR_CONSTRAINT(a), VECTOR_CONSTRAINT(b));
    }
    UNROLLED for (int i = 1; i < 2 * TILE_ROWS; i++) sum[0] += sum[i];
    NAME(store)(sums, sum[0]);
}

static TARGET int64_t NAME(multiply_registers)(int32_t paired, int64_t rounds, float *sums) {
#ifdef TILES
    if (paired) {
        NAME(tiles) tiles;
        NAME(open_tiles)();
        TILE_LOAD(&tiles, 4, sums, 0);
        TILE_LOAD(&tiles, 6, sums, 0);
        for (int64_t round = 0; round < rounds / 2; round++) {
            TILE_PRODUCTS(&tiles, 0, 4, 6);
            TILE_PRODUCTS(&tiles, 1, 4, 6);
            TILE_PRODUCTS(&tiles, 2, 4, 6);
            TILE_PRODUCTS(&tiles, 3, 4, 6);
        }
        TILE_STORE(&tiles, 0, sums, 0);
        NAME(close_tiles)();
        return rounds / 2 * 4 * 2 * TILE_EDGE * TILE_EDGE * 2 * TILE_EDGE;
    }
#endif
    if (paired) NAME(saturate)(1, rounds, sums);
    else NAME(saturate)(0, rounds, sums);
    return rounds * 2 * TILE_ROWS * LANES * (paired ? 4 : 2);
}
