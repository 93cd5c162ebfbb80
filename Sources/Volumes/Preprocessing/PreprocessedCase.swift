import Tensors

/// An image as a network sees it, and the way back to its file.
public struct PreprocessedCase: Sendable {
    /// Normalized, resampled intensities, `[C, D, H, W]`.
    public var voxels: [Float]
    /// The class of each voxel, `[D, H, W]`; -1 outside the non-zero region.
    public var labels: [Int16]?
    /// One name for each channel.
    public var channelNames: [String]
    /// What was done to the grid, and so the way back.
    public var record: PreprocessingRecord

    /// - Parameter voxels: `[C, D, H, W]` of `record.extent`, one channel for each name.
    public init(voxels: [Float], labels: [Int16]?, channelNames: [String], record: PreprocessingRecord) {
        let size = record.extent.volume
        check(voxels.count == size * channelNames.count, "\(channelNames.count) channels of \(record.extent) voxels")
        check(labels.map { $0.count == size } ?? true, "labels of \(record.extent) voxels")
        (self.voxels, self.labels, self.channelNames, self.record) = (voxels, labels, channelNames, record)
    }

    /// Depth, height and width.
    public var extent: Extent3 { record.extent }
    /// The voxel size along depth, height and width, in millimetres.
    public var spacingMM: [Double] { record.spacingMM }
}
