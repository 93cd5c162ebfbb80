import Tensors

/// What preprocessing did to the grid of a case: enough to bring predictions back to the grid of the file, exactly.
public struct PreprocessingRecord: Sendable, Hashable, Codable {
    /// The grid of the file.
    public let geometry: Geometry
    /// The header of the file, if the image came from one: predictions keep its geometry byte for byte.
    public let header: NIfTIHeader?
    /// The order of the axes after preprocessing.
    public let axisOrder: AxisOrder
    /// The part of the reordered volume that was kept.
    public let box: VoxelBox
    /// The number of voxels after preprocessing.
    public let extent: Extent3
    /// The voxel size after preprocessing, along the reordered axes, in millimetres.
    public let spacingMM: [Double]

    /// See the properties.
    public init(
        geometry: Geometry, header: NIfTIHeader?, axisOrder: AxisOrder, box: VoxelBox, extent: Extent3,
        spacingMM: [Double]
    ) {
        (self.geometry, self.header, self.axisOrder) = (geometry, header, axisOrder)
        (self.box, self.extent, self.spacingMM) = (box, extent, spacingMM)
    }

    /// Turns a network's logits into labels on the grid of the file.
    ///
    /// Each class is resampled linearly to the cropped grid; the largest wins, of equals the first; then cropping and
    /// reordering are undone, with 0 outside the box. Besides the logits, memory holds two classes at a time.
    /// - Parameters:
    ///   - logits: `[C, D, H, W]` of ``extent``.
    public func restored(logits: [Float], on cpu: CPU) -> LabelVolume {
        let classes = logits.count / extent.volume
        check(classes * extent.volume == logits.count && classes > 0, "logits are [C, D, H, W] of \(extent) voxels")
        var best = onCroppedGrid(Array(logits[..<extent.volume]), on: cpu)
        var labels = [Int16](repeating: 0, count: best.count)
        for label in 1..<max(classes, 1) {
            let range = label * extent.volume..<(label + 1) * extent.volume
            let scores = onCroppedGrid(Array(logits[range]), on: cpu)
            raise(&best, &labels, scores, label: Int16(label), on: cpu)
        }
        return placed(labels, on: cpu)
    }

    /// Turns the logits of overlapping regions into labels on the grid of the file.
    ///
    /// Each region is resampled linearly to the cropped grid; where its logit is positive its label is written, later
    /// regions over earlier ones.
    /// - Parameters:
    ///   - regionLogits: `[C, D, H, W]` of ``extent``.
    ///   - writtenLabels: one for each region.
    public func restored(regionLogits: [Float], writtenLabels: [Int16], on cpu: CPU) -> LabelVolume {
        check(
            regionLogits.count == writtenLabels.count * extent.volume,
            "\(writtenLabels.count) regions of \(extent) voxels got \(regionLogits.count) logits")
        var labels = [Int16](repeating: 0, count: box.extent.volume)
        for (region, label) in writtenLabels.enumerated() {
            let range = region * extent.volume..<(region + 1) * extent.volume
            let scores = onCroppedGrid(Array(regionLogits[range]), on: cpu)
            for voxel in labels.indices where scores[voxel] > 0 { labels[voxel] = label }
        }
        return placed(labels, on: cpu)
    }

    /// Resamples one class's scores `[D, H, W]` of ``extent`` linearly to the cropped grid, as it was before resampling.
    ///
    /// - Returns: `[D, H, W]` of `box.extent`, axes still reordered.
    public func onCroppedGrid(_ scores: [Float], on cpu: CPU) -> [Float] {
        Resampling.linear(
            scores, extent: extent, to: box.extent, oldSpacingMM: spacingMM,
            newSpacingMM: axisOrder(geometry.spacingMM), on: cpu)
    }

    /// Puts labels `[D, H, W]` of the cropped grid into the file's grid; 0 outside.
    public func placed(_ labels: [Int16], on cpu: CPU) -> LabelVolume {
        let reordered = axisOrder(geometry.extent)
        let whole = box.uncropped(labels, into: reordered, outside: 0)
        return LabelVolume(
            labels: axisOrder.inverse(whole, extent: reordered, on: cpu), geometry: geometry, header: header)
    }

    /// Puts scores `[D, H, W]` of the cropped grid into the file's grid; `outside` elsewhere.
    public func placed(scores: [Float], outside: Float, on cpu: CPU) -> [Float] {
        let reordered = axisOrder(geometry.extent)
        return axisOrder.inverse(box.uncropped(scores, into: reordered, outside: outside), extent: reordered, on: cpu)
    }

    /// Gives `label` to the voxels where `scores` exceed `best`.
    private func raise(
        _ best: inout [Float], _ labels: inout [Int16], _ scores: [Float], label: Int16, on cpu: CPU
    ) {
        let count = best.count
        let piece = 1 << 16
        best.withUnsafeMutableBufferPointer { best in
            labels.withUnsafeMutableBufferPointer { labels in
                nonisolated(unsafe) let (best, labels) = (best, labels)
                cpu.forEach((count + piece - 1) / piece) { task in
                    for index in task * piece..<min((task + 1) * piece, count) where scores[index] > best[index] {
                        best[index] = scores[index]
                        labels[index] = label
                    }
                }
            }
        }
    }
}
