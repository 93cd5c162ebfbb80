#include "CKernels.h"
#include "sizes.h"

// Almost every divisor is 1, and a division takes as long as twenty additions.
static int32_t divide(int32_t a, int32_t b) { return b == 1 ? a : a / b; }

// The source index along an axis that a pixel sees at a tap, or -1 outside.
static int32_t source_of(const ws_geometry *g, int axis, int32_t pixel, int32_t tap) {
    int32_t shifted;
    if (!g->transposed) {
        shifted = pixel * g->stride[axis] - g->padding[axis] + tap * g->dilation[axis];
    } else {
        shifted = pixel + g->padding[axis] - tap * g->dilation[axis];
        if (shifted < 0 || (g->stride[axis] != 1 && shifted % g->stride[axis] != 0)) return -1;
        shifted = divide(shifted, g->stride[axis]);
    }
    return shifted < 0 || shifted >= g->source[axis] ? -1 : shifted;
}

static void fill(const void **row, int32_t count, const char *address, int64_t step) {
    for (int32_t i = 0; i < count; i++) row[i] = address + i * step;
}

// Which source voxels a row of pixels sees at one tap along the width: pixels from `low` up to `high` see those from
// `first` on, `advance` apart, the others none; in rows that are not `whole`, pixels ask one by one.
typedef struct {
    int32_t tap, first, advance, low, high;
    int whole;
} row_view;

static row_view view_of(const ws_geometry *g, const ws_run *run, int32_t tap) {
    row_view view = {.tap = tap};
    // Along the width the source index of pixel i is first + i * advance, if advance is whole.
    int32_t s = g->stride[2], width = g->source[2];
    view.whole = !g->transposed || s == 1 || run->step % s == 0;
    if (!view.whole) return view;
    int32_t shifted = g->transposed ? run->width + g->padding[2] - tap * g->dilation[2]
                                    : run->width * s - g->padding[2] + tap * g->dilation[2];
    if (g->transposed && s != 1 && shifted % s != 0) return view;
    view.first = g->transposed ? divide(shifted, s) : shifted;
    view.advance = g->transposed ? divide(run->step, s) : run->step * s;
    int32_t low = view.first < 0 ? divide(-view.first + view.advance - 1, view.advance) : 0;
    int32_t high = view.first >= width ? 0 : divide(width - 1 - view.first, view.advance) + 1;
    view.low = low > run->count ? run->count : low;
    view.high = high > run->count ? run->count : high < view.low ? view.low : high;
    return view;
}

// One row of pixels; `line` is the source row, already known to lie inside, and `seen` tells which of its voxels are
// visible, if not all are.
static void gather_row(const ws_geometry *g, const ws_run *run, const row_view *view, const char *line,
                       const uint8_t *seen, int64_t voxel_bytes, const void *zero, const void **row) {
    if (!view->whole) {
        for (int32_t i = 0; i < run->count; i++) {
            int32_t w = source_of(g, 2, run->width + i * run->step, view->tap);
            row[i] = w < 0 || (seen && !seen[w]) ? zero : line + w * voxel_bytes;
        }
        return;
    }
    const int32_t low = view->low, high = view->high, advance = view->advance;
    fill(row, low, zero, 0);
    fill(row + low, high - low, line + ((int64_t)view->first + (int64_t)low * advance) * voxel_bytes,
         advance * voxel_bytes);
    fill(row + high, run->count - high, zero, 0);
    if (!seen) return;
    for (int32_t i = low; i < high; i++) row[i] = seen[view->first + i * advance] ? row[i] : zero;
}

// The flags of a source row; NULL if all of it is visible.
static const uint8_t *seen_in(const ws_mask *mask, const ws_geometry *g, int32_t sample, int32_t depth, int32_t height) {
    if (!mask) return 0;
    int64_t line = ((int64_t)sample * mask->grid[0] + depth / mask->cell[0]) * mask->grid[1] + height / mask->cell[1];
    return mask->visible + line * g->source[2];
}

int32_t ws_gather(const ws_geometry *g, const ws_mask *mask, const ws_run *runs, int32_t run_count, const void *source,
                  int64_t voxel_bytes, const void *zero, const void **table, int64_t table_stride, int64_t *index) {
    int32_t pixels = 0;
    for (int32_t r = 0; r < run_count; r++) {
        const ws_run *run = &runs[r];
        int64_t row = ((int64_t)run->sample * g->pixels[0] + run->depth) * g->pixels[1] + run->height;
        for (int32_t i = 0; i < run->count; i++) index[pixels + i] = row * g->pixels[2] + run->width + (int64_t)i * run->step;
        // The same for all taps along depth and height.
        row_view views[g->kernel[2]];
        for (int32_t kw = 0; kw < g->kernel[2]; kw++) views[kw] = view_of(g, run, kw);
        int32_t tap = 0;
        for (int32_t kd = 0; kd < g->kernel[0]; kd++) {
            int32_t d = source_of(g, 0, run->depth, kd);
            for (int32_t kh = 0; kh < g->kernel[1]; kh++) {
                int32_t h = source_of(g, 1, run->height, kh);
                int outside = d < 0 || h < 0;
                const uint8_t *seen = outside ? 0 : seen_in(mask, g, run->sample, d, h);
                int64_t line = (((int64_t)run->sample * g->source[0] + d) * g->source[1] + h) * g->source[2];
                for (int32_t kw = 0; kw < g->kernel[2]; kw++, tap++) {
                    const void **entries = table + tap * table_stride + pixels;
                    if (outside) fill(entries, run->count, zero, 0);
                    else
                        gather_row(g, run, &views[kw], (const char *)source + line * voxel_bytes, seen, voxel_bytes, zero,
                                   entries);
                }
            }
        }
        pixels += run->count;
    }
    // A tile may be wider than the pixels that are left.
    int32_t taps = g->kernel[0] * g->kernel[1] * g->kernel[2];
    for (int32_t tap = 0; tap < taps; tap++)
        for (int32_t p = pixels; p % WS_TILE != 0; p++) table[tap * table_stride + p] = zero;
    return pixels;
}

void ws_unfold(const void **table, int64_t table_stride, int32_t pixels, int32_t taps, int32_t inputs, float *rows) {
    const int64_t length = (int64_t)taps * inputs;
    for (int32_t tap = 0; tap < taps; tap++) {
        const float *const *seen = (const float *const *)(table + tap * table_stride);
        float *target = rows + tap * inputs;
        if (inputs == 1)
            for (int32_t p = 0; p < pixels; p++) target[p * length] = seen[p][0];
        else
            for (int32_t p = 0; p < pixels; p++)
                for (int32_t k = 0; k < inputs; k++) target[p * length + k] = seen[p][k];
    }
    int32_t last = WS_WHOLE(pixels, WS_TILE);
    for (int32_t p = pixels; p < last; p++)
        for (int64_t i = 0; i < length; i++) rows[p * length + i] = 0;
    for (int32_t p = 0; p < last; p++) table[p] = rows + p * length;
}

int64_t ws_outer_scratch(int32_t inputs, int32_t outputs) {
    // Whole panels of the widest kernel set; its dy passes through the place of x, sixteen rows at a time.
    int64_t dy = WS_WHOLE(outputs, 32), x = WS_ROW_STRIDE(WS_WHOLE(inputs, 32)) * (WS_CHUNK / 2);
    return dy * (WS_CHUNK / 2) + (x > 16 * dy ? x : 16 * dy);
}

int64_t ws_cube_scratch(const ws_cube *cube, int32_t inputs, int32_t outputs) {
    // At least what any kernel set takes: the widest rows, times the most cubes that the narrowest allow.
    int64_t batch = ws_cube_batch(ws_positions(cube), inputs + outputs, WS_FEWEST_OUTER_CUBES);
    int64_t rows = WS_ROW_STRIDE(batch * WS_WHOLE(inputs, 32)) + WS_ROW_STRIDE(batch * WS_WHOLE(outputs, 32));
    return ws_positions(cube) * rows;
}

int32_t ws_slab_inputs(const ws_cube *cube) {
    // Their spread weights fill half a second-level cache of 1 MiB.
    int32_t count = 128 * 1024 / 32 / ws_positions(cube) / 16 * 16;
    return count < 16 ? 16 : count > 64 ? 64 : count;
}

int64_t ws_slab_distance(const ws_cube *cube, int32_t panel) { return WS_ROW_STRIDE(ws_slab_inputs(cube) * panel); }

int64_t ws_spread_distance(int32_t cubes, int32_t columns) {
    return WS_ROW_STRIDE(WS_WHOLE(cubes, WS_TILE) * columns);
}
