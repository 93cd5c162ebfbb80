import Tensors

/// Why an image cannot be preprocessed.
public enum PreprocessingError: UserFacingError, Hashable {
    /// The plan knows another number of channels.
    case wrongChannelCount(expected: Int, found: Int)
    /// Voxels are not numbers, or infinite.
    case notFinite(channel: String, count: Int)
    /// An intensity is so large that arithmetic in single precision would overflow.
    case implausible(channel: String, intensity: Float)
    /// Image and labels lie on different grids.
    case mismatchedLabels(image: Extent3, labels: Extent3)

    /// What is wrong and what to do.
    public var description: String {
        switch self {
        case .wrongChannelCount(let expected, let found):
            "the image has \(found) channels, the plan was made for \(expected); give the channels it was made for"
        case .notFinite(let channel, let count):
            "channel \(channel) has \(count) voxels that are not finite numbers; replace them before preprocessing"
        case .implausible(let channel, let intensity):
            "channel \(channel) has intensities of \(intensity), which are no measurements; replace such marks before preprocessing"
        case .mismatchedLabels(let image, let labels):
            "image (\(image)) and labels (\(labels)) lie on different grids; resample the labels to the image"
        }
    }

    /// 65: the data are at fault.
    public var exitCode: Int32 { ExitStatus.badData }
}
