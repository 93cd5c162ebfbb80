// Statistics per channel, and what a normalization does with them. Included once per family of vector instructions.

static TARGET void NAME(moments)(const float *x, const float *pivot, const ws_span *spans, int64_t span_count,
                                 int32_t channels, float *restrict offset, float *restrict squares) {
    // Two passes over a chunk that fits the cache, around a value near the mean: stable even where the mean is far larger
    // than the deviation.
    int64_t count = 0;
    for (int32_t c = 0; c < channels; c++) offset[c] = squares[c] = 0;
    for (int64_t s = 0; s < span_count; s++) {
        count += spans[s].count;
        for (int64_t v = spans[s].start; v < spans[s].start + spans[s].count; v++) {
            const float *row = x + v * channels;
            for (int32_t c = 0; c < channels; c++) offset[c] += row[c] - pivot[c];
        }
    }
    for (int32_t c = 0; c < channels; c++) offset[c] /= (float)count;
    for (int64_t s = 0; s < span_count; s++) {
        for (int64_t v = spans[s].start; v < spans[s].start + spans[s].count; v++) {
            const float *row = x + v * channels;
            for (int32_t c = 0; c < channels; c++) {
                float d = row[c] - pivot[c] - offset[c];
                squares[c] += d * d;
            }
        }
    }
}

static TARGET void NAME(affine_activate)(const float *x, const float *mean, const float *scale, const float *shift,
                                         const float *residual, float slope, const ws_span *spans, int64_t span_count,
                                         int32_t channels, float *restrict y) {
    for (int64_t s = 0; s < span_count; s++) {
        for (int64_t v = spans[s].start; v < spans[s].start + spans[s].count; v++) {
            const float *row = x + v * channels, *added = residual ? residual + v * channels : 0;
            float *out = y + v * channels;
            if (added) {
                for (int32_t c = 0; c < channels; c++) {
                    float z = (row[c] - mean[c]) * scale[c] + shift[c] + added[c];
                    out[c] = z > 0 ? z : z * slope;
                }
            } else {
                for (int32_t c = 0; c < channels; c++) {
                    float z = (row[c] - mean[c]) * scale[c] + shift[c];
                    out[c] = z > 0 ? z : z * slope;
                }
            }
        }
    }
}

static TARGET void NAME(norm_backward_sums)(const float *x, const float *y, const float *dy, const float *mean,
                                            const float *rate, float slope, const ws_span *spans, int64_t span_count,
                                            int32_t channels, float *restrict dz, float *restrict sum,
                                            float *restrict product) {
    for (int32_t c = 0; c < channels; c++) sum[c] = product[c] = 0;
    for (int64_t s = 0; s < span_count; s++) {
        for (int64_t v = spans[s].start; v < spans[s].start + spans[s].count; v++) {
            const float *xs = x + v * channels, *ys = y + v * channels, *gs = dy + v * channels;
            for (int32_t c = 0; c < channels; c++) {
                float d = ys[c] > 0 ? gs[c] : gs[c] * slope;
                sum[c] += d;
                product[c] += d * ((xs[c] - mean[c]) * rate[c]);
            }
            if (dz) {
                float *out = dz + v * channels;
                for (int32_t c = 0; c < channels; c++) out[c] = ys[c] > 0 ? gs[c] : gs[c] * slope;
            }
        }
    }
}

static TARGET void NAME(norm_backward_apply)(const float *x, const float *y, const float *dy, const float *mean,
                                             const float *a, const float *b, const float *shift, float slope,
                                             const ws_span *spans, int64_t span_count, int32_t channels,
                                             float *restrict dx) {
    for (int64_t s = 0; s < span_count; s++) {
        for (int64_t v = spans[s].start; v < spans[s].start + spans[s].count; v++) {
            const float *xs = x + v * channels, *ys = y + v * channels, *gs = dy + v * channels;
            float *out = dx + v * channels;
            for (int32_t c = 0; c < channels; c++) {
                float d = ys[c] > 0 ? gs[c] : gs[c] * slope;
                out[c] = d * a[c] + (xs[c] - mean[c]) * b[c] + shift[c];
            }
        }
    }
}

static TARGET void NAME(channel_sums)(const float *x, const ws_span *spans, int64_t span_count, int32_t channels,
                                      float *restrict sum) {
    for (int64_t s = 0; s < span_count; s++) {
        for (int64_t v = spans[s].start; v < spans[s].start + spans[s].count; v++) {
            const float *row = x + v * channels;
            for (int32_t c = 0; c < channels; c++) sum[c] += row[c];
        }
    }
}
