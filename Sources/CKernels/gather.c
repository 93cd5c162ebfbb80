#include "CKernels.h"

// The source index along an axis that a pixel sees at a tap, or -1 outside.
static int32_t source_of(const ws_geometry *g, int axis, int32_t pixel, int32_t tap) {
    int32_t shifted;
    if (!g->transposed) {
        shifted = pixel * g->stride[axis] - g->padding[axis] + tap * g->dilation[axis];
    } else {
        shifted = pixel + g->padding[axis] - tap * g->dilation[axis];
        if (shifted < 0 || shifted % g->stride[axis] != 0) return -1;
        shifted /= g->stride[axis];
    }
    return shifted < 0 || shifted >= g->source[axis] ? -1 : shifted;
}

static void fill(const float **row, int32_t count, const float *address, int64_t step) {
    for (int32_t i = 0; i < count; i++) row[i] = address + i * step;
}

// One row of pixels at one tap along the width; `line` is the source row, already known to lie inside.
static void gather_row(const ws_geometry *g, const ws_run *run, int32_t tap, const float *line, int32_t channels,
                       const float *zero, const float **row) {
    // Along the width the source index of pixel i is first + i * advance, if advance is whole.
    int32_t s = g->stride[2];
    int whole = !g->transposed || run->step % s == 0;
    if (!whole) {
        for (int32_t i = 0; i < run->count; i++) {
            int32_t w = source_of(g, 2, run->width + i * run->step, tap);
            row[i] = w < 0 ? zero : line + (int64_t)w * channels;
        }
        return;
    }
    int32_t shifted = g->transposed ? run->width + g->padding[2] - tap * g->dilation[2]
                                    : run->width * s - g->padding[2] + tap * g->dilation[2];
    if (g->transposed && shifted % s != 0) {
        fill(row, run->count, zero, 0);
        return;
    }
    int32_t first = g->transposed ? shifted / s : shifted, advance = g->transposed ? run->step / s : run->step * s;
    int32_t low = first < 0 ? (-first + advance - 1) / advance : 0;
    int32_t high = first >= g->source[2] ? 0 : (g->source[2] - 1 - first) / advance + 1;
    if (low > run->count) low = run->count;
    if (high > run->count) high = run->count;
    if (high < low) high = low;
    fill(row, low, zero, 0);
    fill(row + low, high - low, line + ((int64_t)first + (int64_t)low * advance) * channels, (int64_t)advance * channels);
    fill(row + high, run->count - high, zero, 0);
}

int32_t ws_gather(const ws_geometry *g, const ws_run *runs, int32_t run_count, const float *source, int32_t channels,
                  const float *zero, const float **table, int64_t table_stride, int64_t *index) {
    int32_t pixels = 0;
    for (int32_t r = 0; r < run_count; r++) {
        const ws_run *run = &runs[r];
        int64_t row = ((int64_t)run->sample * g->pixels[0] + run->depth) * g->pixels[1] + run->height;
        for (int32_t i = 0; i < run->count; i++) index[pixels + i] = row * g->pixels[2] + run->width + (int64_t)i * run->step;
        int32_t tap = 0;
        for (int32_t kd = 0; kd < g->kernel[0]; kd++) {
            int32_t d = source_of(g, 0, run->depth, kd);
            for (int32_t kh = 0; kh < g->kernel[1]; kh++) {
                int32_t h = source_of(g, 1, run->height, kh);
                int64_t line = (((int64_t)run->sample * g->source[0] + d) * g->source[1] + h) * g->source[2];
                for (int32_t kw = 0; kw < g->kernel[2]; kw++, tap++) {
                    const float **entries = table + tap * table_stride + pixels;
                    if (d < 0 || h < 0) fill(entries, run->count, zero, 0);
                    else gather_row(g, run, kw, source + line * channels, channels, zero, entries);
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
