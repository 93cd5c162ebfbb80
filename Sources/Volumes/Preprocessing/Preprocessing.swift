import Tensors

/// What a plan says about bringing images to the form that a network sees, in nnU-Net's order: reorder the axes, crop to
/// the non-zero region, normalize, resample.
///
/// Normalization precedes resampling, which would otherwise mix the empty border into the statistics.
public struct Preprocessing: Sendable, Hashable, Codable {
    /// The voxel size after resampling, along the reordered depth, height, width, in millimetres; nil keeps an axis's own
    /// (the slices of a 2D network).
    public var spacingMM: [Double?]
    /// One scheme for each channel.
    public var normalization: [Normalization]
    /// How depth, height and width of the file's array are reordered.
    public var axisOrder: AxisOrder
    /// Whether empty borders are cut off.
    public var cropsToNonzero: Bool

    /// - Parameters:
    ///   - spacingMM: three positive sizes along the reordered axes, or nil.
    public init(
        spacingMM: [Double?], normalization: [Normalization], axisOrder: AxisOrder = [0, 1, 2],
        cropsToNonzero: Bool = true
    ) {
        check(spacingMM.count == 3 && spacingMM.allSatisfy { $0 ?? 1 > 0 }, "three positive spacings, got \(spacingMM)")
        (self.spacingMM, self.normalization, self.axisOrder) = (spacingMM, normalization, axisOrder)
        self.cropsToNonzero = cropsToNonzero
    }

    /// Preprocesses an image and, if given, its labels.
    ///
    /// Labels that are 0 become -1 outside the non-zero region. Labels are resampled linearly, one indicator each.
    /// - Parameter part: of the file's grid, what to keep, after intensities were normalized over the whole image; nil, or a
    ///   box that holds nothing of the non-zero region: all.
    /// - Throws: ``PreprocessingError``.
    public func callAsFunction(
        _ volume: Volume, labels: LabelVolume? = nil, part: VoxelBox? = nil, on cpu: CPU
    ) throws -> PreprocessedCase {
        try refuseUnsuitable(volume, labels)
        let wholeExtent = axisOrder(volume.extent)
        var voxels = axisOrder(volume.voxels, extent: volume.extent, on: cpu)
        let needsRegion = cropsToNonzero || normalization.contains(.zScore(insideOnly: true))
        let region = needsRegion ? NonzeroRegion(voxels: voxels, extent: wholeExtent, on: cpu) : nil
        let nonzero = cropsToNonzero ? region?.box ?? VoxelBox(whole: wholeExtent) : VoxelBox(whole: wholeExtent)
        let isInside = region.map {
            cropsToNonzero ? $0.isInside : $0.box.uncropped($0.isInside, into: wholeExtent, outside: false)
        }

        voxels = nonzero.cropped(voxels, from: wholeExtent)
        normalize(&voxels, isInside: isInside, on: cpu)
        let wanted = part.map { nonzero.intersection(axisOrder($0)) } ?? nonzero
        let box = wanted.extent.volume > 0 ? wanted : nonzero
        voxels = box.relative(to: nonzero).cropped(voxels, from: nonzero.extent)

        let oldSpacing = axisOrder(volume.spacingMM)
        let newSpacing = zip(spacingMM, oldSpacing).map { $0 ?? $1 }
        let exact = Resampling.extent(of: box.extent, spacingMM: oldSpacing, at: newSpacing)
        let extent = Extent3(dimensions: exact.dimensions.map { max($0, 1) })
        let record = PreprocessingRecord(
            geometry: volume.geometry, header: volume.header, axisOrder: axisOrder, box: box, extent: extent,
            spacingMM: newSpacing)
        let resampled = Resampling()(
            voxels, extent: box.extent, to: extent, oldSpacingMM: oldSpacing, newSpacingMM: newSpacing, on: cpu)
        let resampledLabels = labels.map { labels in
            var marked = nonzero.cropped(axisOrder(labels.labels, extent: labels.extent, on: cpu), from: wholeExtent)
            if let isInside {
                for index in marked.indices where marked[index] == 0 && !isInside[index] { marked[index] = -1 }
            }
            marked = box.relative(to: nonzero).cropped(marked, from: nonzero.extent)
            return Resampling.labels(
                marked, extent: box.extent, to: extent, oldSpacingMM: oldSpacing, newSpacingMM: newSpacing, on: cpu)
        }
        return PreprocessedCase(
            voxels: resampled, labels: resampledLabels, channelNames: volume.channelNames, record: record)
    }

    private func normalize(_ voxels: inout [Float], isInside: [Bool]?, on cpu: CPU) {
        let channelSize = voxels.count / normalization.count
        voxels.withUnsafeMutableBufferPointer { voxels in
            for (channel, scheme) in normalization.enumerated() {
                let range = channel * channelSize..<(channel + 1) * channelSize
                scheme.apply(to: UnsafeMutableBufferPointer(rebasing: voxels[range]), isInside: isInside, on: cpu)
            }
        }
    }

    private func refuseUnsuitable(_ volume: Volume, _ labels: LabelVolume?) throws {
        guard volume.channels == normalization.count else {
            throw PreprocessingError.wrongChannelCount(expected: normalization.count, found: volume.channels)
        }
        for channel in 0..<volume.channels {
            let wrong = volume.nonFiniteCount(inChannel: channel)
            if wrong > 0 { throw PreprocessingError.notFinite(channel: volume.channelNames[channel], count: wrong) }
            if let intensity = volume.implausibleIntensity(inChannel: channel) {
                throw PreprocessingError.implausible(channel: volume.channelNames[channel], intensity: intensity)
            }
        }
        if let labels, !labels.geometry.matches(volume.geometry) {
            throw PreprocessingError.mismatchedLabels(image: volume.extent, labels: labels.extent)
        }
    }
}
