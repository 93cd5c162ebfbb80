import Tensors

/// Resampling of images and label maps to another spacing, exactly as nnU-Net and scikit-image do it.
///
/// Volumes whose voxels are much longer than wide are resized slice by slice, and then along the coarse axis by nearest
/// neighbour: an interpolation across thick slices would invent structure.
public struct Resampling: Sendable, Hashable, Codable {
    /// When slices are resized apart from the axis across them.
    public enum Separation: String, Sendable, Hashable, Codable {
        /// If the largest spacing exceeds three times the smallest, before or else after, along one axis alone.
        case automatic
        /// Along the coarsest axis of the original spacing, if it is one alone.
        case always
        /// Never.
        case never
    }

    /// Within slices, or along all axes when they are not separate.
    public var interpolation: Interpolation
    /// Along the separate axis.
    public var alongSeparateAxis: Interpolation
    /// When an axis is separate.
    public var separation: Separation

    /// By default nnU-Net's resampling of images: cubic, nearest neighbour across thick slices.
    public init(
        _ interpolation: Interpolation = .cubic, alongSeparateAxis: Interpolation = .nearest,
        separation: Separation = .automatic
    ) {
        (self.interpolation, self.alongSeparateAxis) = (interpolation, alongSeparateAxis)
        self.separation = separation
    }

    /// nnU-Net's resampling of logits and label indicators.
    public static let linear = Resampling(.linear)

    /// The ratio of spacings beyond which slices are thick.
    static let thickness = 3.0

    /// The number of voxels at another spacing: `round(oldSpacing / newSpacing * size)` along each axis, halves to even.
    ///
    /// An axis shorter than half a new voxel gets 0 voxels, as in nnU-Net; ``Preprocessing`` keeps at least one.
    public static func extent(of extent: Extent3, spacingMM: [Double], at newSpacingMM: [Double]) -> Extent3 {
        Extent3(
            dimensions: (0..<3).map { axis in
                let size = spacingMM[axis] / newSpacingMM[axis] * Double(extent[axis])
                return Int(size.rounded(.toNearestOrEven))
            })
    }

    /// The axis (0 depth, 1 height, 2 width) that is resized on its own, or nil.
    public func separateAxis(oldSpacingMM: [Double], newSpacingMM: [Double]) -> Int? {
        func isThick(_ spacing: [Double]) -> Bool { spacing.max()! / spacing.min()! > Self.thickness }
        let deciding: [Double]
        switch separation {
        case .never: return nil
        case .always: deciding = oldSpacingMM
        case .automatic:
            guard let thick = [oldSpacingMM, newSpacingMM].first(where: isThick) else { return nil }
            deciding = thick
        }
        let coarsest = (0..<3).filter { deciding[$0] == deciding.max()! }
        return coarsest.count == 1 ? coarsest[0] : nil
    }

    /// Resamples every channel of an image.
    ///
    /// The interpolation of a volume (of a slice, along a separate axis) is clipped to its range of values: a spline
    /// overshoots at edges.
    /// - Parameters:
    ///   - voxels: `[C, D, H, W]`.
    ///   - extent: the voxels' D, H, W.
    ///   - newExtent: the result's D, H, W, usually from ``extent(of:spacingMM:at:)``.
    ///   - oldSpacingMM: along D, H, W; decides with `newSpacingMM` about a separate axis.
    /// - Returns: `[C, D, H, W]` of `newExtent`; `voxels` itself if the extents are equal.
    public func callAsFunction(
        _ voxels: [Float], extent: Extent3, to newExtent: Extent3, oldSpacingMM: [Double], newSpacingMM: [Double],
        on cpu: CPU
    ) -> [Float] {
        guard extent != newExtent else { return voxels }
        let channels = voxels.count / extent.volume
        if channels == 1 {
            return resampledChannel(
                voxels, extent: extent, to: newExtent,
                separate: separateAxis(oldSpacingMM: oldSpacingMM, newSpacingMM: newSpacingMM), on: cpu)
        }
        var result: [Float] = []
        result.reserveCapacity(channels * newExtent.volume)
        for channel in 0..<channels {
            let slab = Array(voxels[channel * extent.volume..<(channel + 1) * extent.volume])
            result += self(
                slab, extent: extent, to: newExtent, oldSpacingMM: oldSpacingMM, newSpacingMM: newSpacingMM, on: cpu)
        }
        return result
    }

    private func resampledChannel(
        _ voxels: [Float], extent: Extent3, to newExtent: Extent3, separate: Int?, on cpu: CPU
    ) -> [Float] {
        // A line or a parabola through voxels cannot leave their range.
        let ranges = interpolation == .cubic ? valueRanges(of: voxels, extent, alongAxis: separate) : []
        var (current, size) = (voxels, extent)
        func resize(_ axis: Int, _ interpolation: Interpolation) {
            guard size[axis] != newExtent[axis] else { return }
            let outer = (0..<axis).reduce(1) { $0 * size[$1] }
            let inner = (axis + 1..<3).reduce(1) { $0 * size[$1] }
            current = resizedAxis(
                current, outer: outer, count: size[axis], inner: inner, to: newExtent[axis], interpolation, on: cpu)
            size[axis] = newExtent[axis]
        }
        // The axis that shrinks most goes first: less is left for the others.
        let together = (0..<3).filter { $0 != separate }
            .sorted { Double(newExtent[$0]) / Double(extent[$0]) < Double(newExtent[$1]) / Double(extent[$1]) }
        for axis in together { resize(axis, interpolation) }
        if !ranges.isEmpty { clip(&current, size, to: ranges, alongAxis: separate, on: cpu) }
        if let separate { resize(separate, alongSeparateAxis) }
        return current
    }
}

/// The smallest and largest value of each slice across `axis`, or of the whole volume as the only slice.
private func valueRanges(of voxels: [Float], _ extent: Extent3, alongAxis axis: Int?) -> [ClosedRange<Float>] {
    let slices = axis.map { extent[$0] } ?? 1
    let inner = axis.map { ($0 + 1..<3).reduce(1) { $0 * extent[$1] } } ?? voxels.count
    var lowest = [Float](repeating: .infinity, count: slices)
    var highest = [Float](repeating: -.infinity, count: slices)
    voxels.withUnsafeBufferPointer { voxels in
        for block in 0..<voxels.count / inner {
            var low = SIMD8<Float>(repeating: .infinity)
            var high = -low
            let values = voxels[block * inner..<(block + 1) * inner]
            for start in stride(from: values.startIndex, through: values.endIndex - 8, by: 8) {
                let group = UnsafeRawPointer(values.base.baseAddress! + start).loadUnaligned(as: SIMD8<Float>.self)
                low = pointwiseMin(low, group)
                high = pointwiseMax(high, group)
            }
            for value in values.suffix(inner % 8) {
                low[0] = min(low[0], value)
                high[0] = max(high[0], value)
            }
            let slice = block % slices
            lowest[slice] = min(lowest[slice], low.min())
            highest[slice] = max(highest[slice], high.max())
        }
    }
    return (0..<slices).map { min(lowest[$0], highest[$0])...max(lowest[$0], highest[$0]) }
}

private func clip(
    _ voxels: inout [Float], _ extent: Extent3, to ranges: [ClosedRange<Float>], alongAxis axis: Int?, on cpu: CPU
) {
    let total = voxels.count
    let inner = axis.map { ($0 + 1..<3).reduce(1) { $0 * extent[$1] } } ?? max(total / 64, 1)
    voxels.withUnsafeMutableBufferPointer { voxels in
        nonisolated(unsafe) let voxels = voxels
        let blocks = (total + inner - 1) / inner
        let blocksPerTask = max(blocks / 64, 1)
        cpu.forEach((blocks + blocksPerTask - 1) / blocksPerTask) { task in
            for block in task * blocksPerTask..<min((task + 1) * blocksPerTask, blocks) {
                let range = ranges[block % ranges.count]
                for index in block * inner..<min((block + 1) * inner, total) {
                    voxels[index] = min(max(voxels[index], range.lowerBound), range.upperBound)
                }
            }
        }
    }
}
