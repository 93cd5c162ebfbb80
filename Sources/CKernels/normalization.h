// Statistics per channel, and what a normalization does with them. Included once per family of vector instructions.
// Voxels that are visited are numbered in the map; those of a `packed` x among the visited ones.

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

static TARGET void NAME(affine_activate)(const float *x, int32_t packed, const float *mean, const float *scale,
                                         const float *shift, const float *residual, float slope, const ws_span *spans,
                                         int64_t span_count, int32_t channels, float *y) {
    for (int64_t s = 0, seen = 0; s < span_count; s++) {
        for (int64_t v = spans[s].start; v < spans[s].start + spans[s].count; v++, seen++) {
            const float *row = x + (packed ? seen : v) * channels, *added = residual ? residual + v * channels : 0;
            float *out = y + v * channels;
            if (added) {
                IN_PLACE for (int32_t c = 0; c < channels; c++) {
                    float z = (row[c] - mean[c]) * scale[c] + shift[c] + added[c];
                    out[c] = z > 0 ? z : z * slope;
                }
            } else {
                IN_PLACE for (int32_t c = 0; c < channels; c++) {
                    float z = (row[c] - mean[c]) * scale[c] + shift[c];
                    out[c] = z > 0 ? z : z * slope;
                }
            }
        }
    }
}

// How the sign of the activation's input z is known: from y, from x, or not needed since the activation does nothing.
enum NAME(sign) { NAME(sign_of_y), NAME(sign_of_z), NAME(no_sign) };

// dz = dy * a'(z) of one element.
INLINE float NAME(unactivated)(enum NAME(sign) sign, float y, float z, float dy, float slope) {
    if (sign == NAME(no_sign)) return dy;
    return (sign == NAME(sign_of_y) ? y : z) > 0 ? dy : dy * slope;
}

INLINE void NAME(backward_sums)(enum NAME(sign) sign, const float *x, int32_t packed, const float *y,
                                const float *dy, const float *mean, const float *rate, const float *scale, const float *shift,
                                float slope, const ws_span *spans, int64_t span_count, int32_t channels, float *dz,
                                float *restrict sum, float *restrict product) {
    for (int32_t c = 0; c < channels; c++) sum[c] = product[c] = 0;
    for (int64_t s = 0, seen = 0; s < span_count; s++) {
        for (int64_t v = spans[s].start; v < spans[s].start + spans[s].count; v++, seen++) {
            const float *xs = x + (packed ? seen : v) * channels, *gs = dy + v * channels;
            const float *ys = sign == NAME(sign_of_y) ? y + v * channels : xs;
            for (int32_t c = 0; c < channels; c++) {
                float d = NAME(unactivated)(sign, ys[c], (xs[c] - mean[c]) * scale[c] + shift[c], gs[c], slope);
                sum[c] += d;
                product[c] += d * ((xs[c] - mean[c]) * rate[c]);
            }
            if (dz) {
                float *out = dz + v * channels;
                // dz may be dy.
                IN_PLACE for (int32_t c = 0; c < channels; c++)
                    out[c] = NAME(unactivated)(sign, ys[c], (xs[c] - mean[c]) * scale[c] + shift[c], gs[c], slope);
            }
        }
    }
}

static TARGET void NAME(norm_backward_sums)(const float *x, int32_t packed, const float *y, const float *dy,
                                            const float *mean, const float *rate, const float *scale,
                                            const float *shift, float slope, const ws_span *spans, int64_t span_count,
                                            int32_t channels, float *dz, float *sum, float *product) {
#define SUMS(sign)                                                                                                       \
    NAME(backward_sums)(NAME(sign), x, packed, y, dy, mean, rate, scale, shift, slope, spans, span_count, channels, dz, \
                        sum, product)
    if (slope == 1) SUMS(no_sign);
    else if (y) SUMS(sign_of_y);
    else SUMS(sign_of_z);
#undef SUMS
}

INLINE void NAME(backward_apply)(enum NAME(sign) sign, const float *x, int32_t packed, const float *y,
                                 const float *dy, const float *mean, const float *scale, const float *shift, const float *a,
                                 const float *b, const float *constant, float slope, const ws_span *spans,
                                 int64_t span_count, int32_t channels, float *dx) {
    for (int64_t s = 0, seen = 0; s < span_count; s++) {
        for (int64_t v = spans[s].start; v < spans[s].start + spans[s].count; v++, seen++) {
            const float *xs = x + (packed ? seen : v) * channels, *gs = dy + v * channels;
            const float *ys = sign == NAME(sign_of_y) ? y + v * channels : xs;
            float *out = dx + v * channels;
            // dx may be dy or x.
            IN_PLACE for (int32_t c = 0; c < channels; c++) {
                float d = NAME(unactivated)(sign, ys[c], (xs[c] - mean[c]) * scale[c] + shift[c], gs[c], slope);
                out[c] = d * a[c] + (xs[c] - mean[c]) * b[c] + constant[c];
            }
        }
    }
}

static TARGET void NAME(norm_backward_apply)(const float *x, int32_t packed, const float *y, const float *dy,
                                             const float *mean, const float *scale, const float *shift, const float *a,
                                             const float *b, const float *constant, float slope, const ws_span *spans,
                                             int64_t span_count, int32_t channels, float *dx) {
#define APPLY(sign)                                                                                              \
    NAME(backward_apply)(NAME(sign), x, packed, y, dy, mean, scale, shift, a, b, constant, slope, spans, span_count, \
                         channels, dx)
    if (slope == 1) APPLY(no_sign);
    else if (y) APPLY(sign_of_y);
    else APPLY(sign_of_z);
#undef APPLY
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
