import Foundation
import Tensors
import Volumes

/// Images without labels from any number of sources, one channel each.
public struct ImageCollection: Sendable {
    /// One channel of a case.
    public struct Item: Hashable, Sendable {
        /// `SOURCE__CASE`, with `__CHANNEL` where a case has several.
        public let name: String
        /// Who or what is on the image. Images of one subject stay together when training and validation part.
        public let subject: String
        /// The file.
        public let path: String
        /// What the image was made with, such as `T1w`; nil if nobody says.
        public var modality: String?
        /// Masks of regions, if there are any.
        public var regions = RegionMasks()
        /// The index of the source that it is from.
        public var source = 0
    }

    /// All images, sorted by name.
    public let items: [Item]

    /// Lists folders of NIfTI files and nnU-Net raw datasets; of a dataset the training cases. No image is opened.
    ///
    /// - Parameter excluded: names of cases to leave out, each of which must exist.
    /// - Throws: ``PretrainingDataError``, `DatasetError`.
    public init(sources: [String], excluding excluded: [String] = []) throws {
        guard !sources.isEmpty else { throw PretrainingDataError.noSources }
        var items: [Item] = []
        var unmatched = Set(excluded)
        for (index, (name, source)) in zip(Self.names(of: sources), sources).enumerated() {
            for listed in try Self.images(in: source) {
                if excluded.contains(listed.caseName) {
                    unmatched.remove(listed.caseName)
                    continue
                }
                items.append(
                    Item(
                        name: "\(name)__\(listed.name)", subject: "\(name)__\(listed.subject)", path: listed.path,
                        modality: listed.modality, regions: listed.regions, source: index))
            }
        }
        if let name = unmatched.min() { throw PretrainingDataError.nothingToExclude(name: name) }
        guard !items.isEmpty else { throw PretrainingDataError.noImages(sources: sources) }
        self.items = items.sorted { $0.name < $1.name }
    }

    /// The images of one source, whatever its layout.
    private static func images(in source: String) throws -> [ListedImage] {
        guard FileManager.default.fileExists(atPath: source) else { throw PretrainingDataError.noSuchSource(source) }
        if let file = CollectionFile.path(in: source) { return try CollectionFile(path: file).images }
        if FileManager.default.fileExists(atPath: "\(source)/dataset.json") {
            return try NNUNetDataset(path: source).trainingCases.flatMap(ListedImage.channels)
        }
        let files = try ImageFolder(path: source).cases
        return BIDSTree.isTree(source)
            ? BIDSTree.images(among: files) : files.flatMap(ListedImage.channels)
    }

    /// The last component of each path, numbered where several are the same.
    private static func names(of sources: [String]) -> [String] {
        var seen: [String: Int] = [:]
        return sources.map { source in
            let name = URL(filePath: source).standardizedFileURL.lastPathComponent
            seen[name, default: 0] += 1
            return seen[name] == 1 ? name : "\(name)-\(seen[name] ?? 0)"
        }
    }
}

/// An image as its source lists it.
struct ListedImage {
    /// Unique in the source.
    var name: String
    /// The case that it is a channel of; what `exclude` names.
    var caseName: String
    /// Unique in the source.
    var subject: String
    /// The file.
    var path: String
    /// What it was made with, if anybody says.
    var modality: String?
    /// Masks that belong to it.
    var regions = RegionMasks()

    /// The channels of a case. BIDS names begin with the subject, `sub-01__ses-1__anat__...`; any other case is a subject of
    /// its own.
    static func channels(of files: DatasetCase) -> [ListedImage] {
        let subject = files.name.hasPrefix("sub-") ? String(files.name.prefix { $0 != "_" }) : files.name
        return files.imagePaths.enumerated().map { channel, path in
            let suffix = files.imagePaths.count > 1 ? "__\(channel)" : ""
            return ListedImage(
                name: "\(files.name)\(suffix)", caseName: files.name, subject: subject, path: path)
        }
    }
}

/// Why there is nothing to pre-train on.
public enum PretrainingDataError: UserFacingError, Equatable {
    /// No folder is given.
    case noSources
    /// A folder does not exist.
    case noSuchSource(String)
    /// The folders hold no image that is not excluded.
    case noImages(sources: [String])
    /// A collection file cannot be understood.
    case badCollection(path: String, problem: String)
    /// A method that needs labels got a folder without.
    case notLabeled(String)
    /// An excluded case does not exist.
    case nothingToExclude(name: String)
    /// The run to resume was begun with other images.
    case otherImages(file: String)
    /// No image fulfils the conditions or can be read.
    case noSuitableImages(count: Int, example: String)

    /// Wrong usage, or bad data where the images themselves are at fault.
    public var exitCode: Int32 {
        switch self {
        case .noSuitableImages, .badCollection: ExitStatus.badData
        default: ExitStatus.usage
        }
    }

    /// What is missing and how to give it.
    public var description: String {
        switch self {
        case .otherImages(let file):
            "the images are not those that the run was begun with, see \(file). Restore them, or choose another --out."
        case .noSources: "there are no images to train on: give folders with --data, or data.sources in the recipe."
        case .badCollection(let path, let problem): "\(path): \(problem)"
        case .notLabeled(let path):
            "\(path) is no dataset in nnU-Net's raw layout, but this method learns from labels: give folders with a "
                + "dataset.json, imagesTr and labelsTr."
        case .noSuchSource(let path): "\(path) does not exist: --data and data.sources name folders of images."
        case .noImages(let sources): "there is no image left in \(sources.joined(separator: ", "))."
        case .nothingToExclude(let name):
            "the case '\(name)' is to be excluded, but no source has it: check data.exclude and data.exclude_from."
        case .noSuitableImages(let count, let example):
            "none of \(count) images can be used, the first because: \(example). "
                + "data.min_field_of_view_mm, max_spacing_mm and min_file_kilobytes set the limits."
        }
    }
}
