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
        for (name, source) in zip(Self.names(of: sources), sources) {
            for files in try Self.cases(in: source) {
                if excluded.contains(files.name) {
                    unmatched.remove(files.name)
                    continue
                }
                items += files.imagePaths.enumerated().map { channel, path in
                    let suffix = files.imagePaths.count > 1 ? "__\(channel)" : ""
                    return Item(
                        name: "\(name)__\(files.name)\(suffix)", subject: "\(name)__\(Self.subject(files.name))",
                        path: path)
                }
            }
        }
        if let name = unmatched.min() { throw PretrainingDataError.nothingToExclude(name: name) }
        guard !items.isEmpty else { throw PretrainingDataError.noImages(sources: sources) }
        self.items = items.sorted { $0.name < $1.name }
    }

    private static func cases(in source: String) throws -> [DatasetCase] {
        guard FileManager.default.fileExists(atPath: source) else { throw PretrainingDataError.noSuchSource(source) }
        if FileManager.default.fileExists(atPath: "\(source)/dataset.json") {
            return try NNUNetDataset(path: source).trainingCases
        }
        return try ImageFolder(path: source).cases
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

    /// BIDS names begin with the subject, `sub-01__ses-1__anat__...`; any other name is a subject of its own.
    private static func subject(_ name: String) -> String {
        name.hasPrefix("sub-") ? String(name.prefix { $0 != "_" }) : name
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
    /// An excluded case does not exist.
    case nothingToExclude(name: String)
    /// The run to resume was begun with other images.
    case otherImages(file: String)
    /// No image fulfils the conditions or can be read.
    case noSuitableImages(count: Int, example: String)

    /// Wrong usage, or bad data where the images themselves are at fault.
    public var exitCode: Int32 {
        if case .noSuitableImages = self { ExitStatus.badData } else { ExitStatus.usage }
    }

    /// What is missing and how to give it.
    public var description: String {
        switch self {
        case .otherImages(let file):
            "the images are not those that the run was begun with, see \(file). Restore them, or choose another --out."
        case .noSources: "there are no images to train on: give folders with --data, or data.sources in the recipe."
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
