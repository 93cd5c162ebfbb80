import Tensors

/// What is wrong with a folder of images. Every case names the culprit.
public enum DatasetError: UserFacingError, Hashable {
    /// `dataset.json` is missing or unreadable, or a key in it is wrong.
    case badDescription(path: String, problem: String)
    /// Fewer labeled cases than folds.
    case tooFewCases(path: String, count: Int)
    /// The folder holds no images.
    case noImages(folder: String)
    /// A file's name does not follow the layout.
    case badFileName(path: String, expected: String)
    /// A case has no file for one of its channels.
    case missingChannel(case: String, path: String)
    /// A training case has no label file.
    case missingLabels(case: String, path: String)
    /// A label file belongs to no image.
    case labelsWithoutImage(path: String)
    /// Two files give the same case.
    case duplicateName(case: String, first: String, second: String)
    /// The files of a case have another number of channels than the dataset.
    case wrongChannelCount(case: String, path: String, expected: Int, found: Int)
    /// Two files of a case lie on different grids.
    case mismatchedGrids(case: String, first: String, second: String, difference: String)
    /// Voxels are not numbers, or infinite.
    case notFinite(case: String, path: String, count: Int)
    /// An intensity is so large that arithmetic in single precision would overflow.
    case implausible(case: String, path: String, intensity: Float)
    /// A label file has a value that the dataset does not define.
    case unknownLabel(case: String, path: String, value: Int, known: [Int])

    /// What is wrong, where, and what to do.
    public var description: String {
        switch self {
        case .badDescription(let path, let problem): "\(path): \(problem)"
        case .tooFewCases(let path, let count):
            "\(path) has \(count) labeled cases, five folds need five; use --fold all, or write a splits_final.json"
        case .noImages(let folder): "\(folder): no NIfTI images here; give a folder that holds some"
        case .badFileName(let path, let expected): "\(path): the file name should be \(expected); rename or remove it"
        case .missingChannel(let name, let path):
            "case \(name): \(path) is missing; every case needs one file for each channel in dataset.json"
        case .missingLabels(let name, let path):
            "case \(name): \(path) is missing; add the labels or move the image to imagesTs"
        case .labelsWithoutImage(let path):
            "\(path): there is no image for these labels in imagesTr; add it or remove them"
        case .duplicateName(let name, let first, let second):
            "\(first) and \(second) would both be case \(name); rename one of them"
        case .wrongChannelCount(let name, let path, let expected, let found):
            "case \(name): \(path) gives \(found) channels instead of \(expected)"
        case .mismatchedGrids(let name, let first, let second, let difference):
            "case \(name): \(first) and \(second) lie on different grids (\(difference)); resample one to the other"
        case .notFinite(let name, let path, let count):
            "case \(name): \(path) has \(count) voxels that are not finite numbers; replace them"
        case .implausible(let name, let path, let intensity):
            "case \(name): \(path) has intensities of \(intensity), which are no measurements; replace such marks"
        case .unknownLabel(let name, let path, let value, let known):
            "case \(name): \(path) has label \(value), dataset.json defines only \(known.map(String.init).joined(separator: ", "))"
        }
    }

    /// 65: the data are at fault.
    public var exitCode: Int32 { ExitStatus.badData }
}
