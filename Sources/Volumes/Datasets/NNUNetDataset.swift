import Foundation

/// A dataset in nnU-Net's raw layout: `dataset.json`, `imagesTr/NAME_0000.nii.gz` (one file per channel),
/// `labelsTr/NAME.nii.gz`, and `imagesTs` without labels.
public struct NNUNetDataset: Sendable {
    /// The folder.
    public let path: String
    /// `name` in `dataset.json`, else the folder's name.
    public let name: String
    /// One name for each channel, from `channel_names` (formerly `modality`), in order.
    public let channelNames: [String]
    /// The classes in ascending order of their labels; background is 0.
    public let classes: [LabelClass]
    /// The regions to segment, if they overlap; nil for one class per voxel. See ``LabelRegion``.
    public let regions: [LabelRegion]?
    /// Voxels with this label take no part in training and evaluation; nil if the dataset has none.
    public let ignoreLabel: Int16?
    /// The ending of file names, such as `.nii.gz`.
    public let fileEnding: String
    /// Cases with labels or classes, sorted by name.
    public let trainingCases: [DatasetCase]
    /// Cases of `imagesTs`, sorted by name.
    public let testCases: [DatasetCase]
    /// The class of each training case, where images are classified as a whole; nil where voxels have labels.
    public let classOfCase: [String: Int]?

    /// A label and its name.
    public struct LabelClass: Sendable, Hashable, Codable {
        /// For example `liver`.
        public let name: String
        /// The value in label files.
        public let label: Int16

        /// A class.
        public init(name: String, label: Int16) { (self.name, self.label) = (name, label) }
    }

    /// A structure made of several labels, which may overlap with others: the whole tumor holds its core.
    public struct LabelRegion: Sendable, Hashable, Codable {
        /// For example `whole tumor`.
        public let name: String
        /// The labels of its voxels.
        public let labels: [Int16]
        /// The label that predictions give to its voxels, unless a later region holds them as well.
        public let writtenLabel: Int16

        /// A region.
        public init(name: String, labels: [Int16], writtenLabel: Int16) {
            (self.name, self.labels, self.writtenLabel) = (name, labels, writtenLabel)
        }
    }

    /// Reads `dataset.json` and lists the cases. Images are not opened.
    ///
    /// - Throws: ``DatasetError`` naming the missing file, the wrong key or the missing channel.
    public init(path: String) throws {
        let description = try DatasetDescription(path: "\(path)/dataset.json")
        self.init(
            path: path, description, classes: description.classes,
            trainingCases: try Self.cases(in: path, images: "imagesTr", labels: "labelsTr", description),
            testCases: try Self.cases(in: path, images: "imagesTs", labels: nil, description), classOfCase: nil)
        if trainingCases.isEmpty && testCases.isEmpty { throw DatasetError.noImages(folder: "\(path)/imagesTr") }
    }

    init(
        path: String, _ description: DatasetDescription, classes: [LabelClass], trainingCases: [DatasetCase],
        testCases: [DatasetCase], classOfCase: [String: Int]?
    ) {
        self.path = path
        name = description.name ?? URL(filePath: path).lastPathComponent
        (channelNames, self.classes, regions) = (description.channelNames, classes, description.regions)
        (ignoreLabel, fileEnding) = (description.ignoreLabel, description.fileEnding)
        (self.trainingCases, self.testCases, self.classOfCase) = (trainingCases, testCases, classOfCase)
    }

    /// The channels of a network's logits: the classes with background, or the regions.
    public var outputChannels: Int { regions?.count ?? classes.count }

    /// All labels that may occur in label files.
    public var knownLabels: [Int16] { classes.map(\.label) + (ignoreLabel.map { [$0] } ?? []) }

    /// Reads the channels of a case.
    /// - Throws: ``NIfTIError``, ``DatasetError``.
    public func readImage(_ image: DatasetCase) throws -> Volume { try image.readImage(channelNames: channelNames) }

    /// Reads the labels of a case and checks their values and their grid.
    /// - Parameter geometry: the grid of the case's image.
    /// - Throws: ``NIfTIError``, ``DatasetError``.
    public func readLabels(_ image: DatasetCase, on geometry: Geometry) throws -> LabelVolume? {
        try image.readLabels(known: knownLabels, on: geometry)
    }

    static func cases(
        in path: String, images: String, labels: String?, _ description: DatasetDescription
    ) throws -> [DatasetCase] {
        let ending = description.fileEnding
        let cases = try ChannelFiles.cases(
            in: "\(path)/\(images)", fileEnding: ending, channels: description.channelNames.count)
        guard let labels else { return cases }
        let names = Set(cases.map(\.name))
        for file in ChannelFiles.list("\(path)/\(labels)", ending)
        where !names.contains(String(file.dropLast(ending.count))) {
            throw DatasetError.labelsWithoutImage(path: "\(path)/\(labels)/\(file)")
        }
        return try cases.map { image in
            let labelPath = "\(path)/\(labels)/\(image.name)\(ending)"
            guard FileManager.default.fileExists(atPath: labelPath) else {
                throw DatasetError.missingLabels(case: image.name, path: labelPath)
            }
            return DatasetCase(name: image.name, imagePaths: image.imagePaths, labelPath: labelPath)
        }
    }
}
