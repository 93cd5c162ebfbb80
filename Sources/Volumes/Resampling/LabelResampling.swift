import Tensors

extension Resampling {
    /// Resamples a label map: each voxel takes the label whose indicator, interpolated linearly, is the largest; of several
    /// as large, the label of the nearest voxel. Across thick slices the nearest slice decides.
    ///
    /// Equal to interpolating one indicator per label, in one pass for any number of labels: at most eight voxels, and so
    /// at most eight labels, have a say in each result.
    /// - Parameters:
    ///   - labels: `[D, H, W]`.
    ///   - newExtent: the result's D, H, W.
    /// - Returns: `[D, H, W]` of `newExtent`; `labels` itself if the extents are equal.
    public static func labels(
        _ labels: [Int16], extent: Extent3, to newExtent: Extent3, oldSpacingMM: [Double], newSpacingMM: [Double],
        separation: Separation = .automatic, on cpu: CPU
    ) -> [Int16] {
        guard extent != newExtent else { return labels }
        let separate = Resampling(.linear, separation: separation)
            .separateAxis(oldSpacingMM: oldSpacingMM, newSpacingMM: newSpacingMM)
        let axes = (0..<3).map { axis in
            LabelTaps(from: extent[axis], to: newExtent[axis], axis == separate ? .nearest : .linear)
        }
        let (plane, row) = (extent.height * extent.width, extent.width)
        return [Int16](unsafeUninitializedCapacity: newExtent.volume) { result, initialized in
            labels.withUnsafeBufferPointer { labels in
                nonisolated(unsafe) let (labels, result) = (labels, result)
                cpu.forEach(newExtent.depth) { depth in
                    var index = depth * newExtent.height * newExtent.width
                    for height in 0..<newExtent.height {
                        for width in 0..<newExtent.width {
                            let (d, h, w) = (axes[0][depth], axes[1][height], axes[2][width])
                            result[index] = winner(labels, plane: plane, row: row, d, h, w)
                            index += 1
                        }
                    }
                }
            }
            initialized = newExtent.volume
        }
    }

    @inline(__always)
    private static func winner(
        _ labels: UnsafeBufferPointer<Int16>, plane: Int, row: Int, _ d: LabelTaps.Tap, _ h: LabelTaps.Tap,
        _ w: LabelTaps.Tap
    ) -> Int16 {
        func label(_ d: Int, _ h: Int, _ w: Int) -> Int32 { Int32(labels[d * plane + h * row + w]) }
        let corners = SIMD8<Int32>(
            label(d.below, h.below, w.below), label(d.below, h.below, w.above), label(d.below, h.above, w.below),
            label(d.below, h.above, w.above), label(d.above, h.below, w.below), label(d.above, h.below, w.above),
            label(d.above, h.above, w.below), label(d.above, h.above, w.above))
        if corners == SIMD8(repeating: corners[0]) { return Int16(corners[0]) }
        let height = SIMD4<Float>(1 - h.share, 1 - h.share, h.share, h.share)
        let inPlane = height * SIMD4(1 - w.share, w.share, 1 - w.share, w.share)
        let weights = SIMD8(lowHalf: inPlane * (1 - d.share), highHalf: inPlane * d.share)
        func score(_ label: Int32) -> Float {
            SIMD8<Float>.zero.replacing(with: weights, where: corners .== SIMD8(repeating: label)).sum()
        }
        let nearest = label(d.nearest, h.nearest, w.nearest)
        // Sums of the same weights in another order differ by rounding: that is still a tie.
        var (best, bestScore) = (nearest, score(nearest) + 1e-6)
        for corner in 0..<8 {
            let candidate = score(corners[corner])
            if candidate > bestScore { (best, bestScore) = (corners[corner], candidate) }
        }
        return Int16(best)
    }
}

/// For each output of a resized axis, the two voxels around it, clamped to the axis.
private struct LabelTaps {
    struct Tap {
        let below, above, nearest: Int
        /// The weight of `above`.
        let share: Float
    }
    private let taps: [Tap]

    init(from count: Int, to resized: Int, _ interpolation: Interpolation) {
        let nearest = AxisTaps(from: count, to: resized, .nearest)
        let linear = AxisTaps(from: count, to: resized, .linear)
        taps = (0..<resized).map { index in
            let closest = nearest.first[index]
            guard interpolation == .linear else {
                return Tap(below: closest, above: closest, nearest: closest, share: 0)
            }
            let below = linear.first[index]
            return Tap(
                below: max(below, 0), above: min(below + 1, count - 1), nearest: closest,
                share: linear.weights[2 * index + 1])
        }
    }

    subscript(index: Int) -> Tap { taps[index] }
}
