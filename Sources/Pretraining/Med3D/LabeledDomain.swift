import Foundation
import Tensors
import Volumes

/// A labeled dataset that a network is pre-trained on beside others.
public struct LabeledDomain: Sendable {
    /// The dataset's name.
    public var name: String
    /// The number of its classes, background included.
    public var classes: Int
    /// Voxels of this label do not count.
    public var ignoredLabel: Int16?

    /// A domain.
    public init(name: String, classes: Int, ignoredLabel: Int16? = nil) {
        (self.name, self.classes, self.ignoredLabel) = (name, classes, ignoredLabel)
    }

    /// The datasets of a recipe.
    /// - Throws: ``PretrainingDataError``, `DatasetError`.
    static func list(_ recipe: PretrainingDataRecipe) throws -> [NNUNetDataset] {
        guard !recipe.sources.isEmpty else { throw PretrainingDataError.noSources }
        return try recipe.sources.map { source in
            guard FileManager.default.fileExists(atPath: source) else {
                throw PretrainingDataError.noSuchSource(source)
            }
            guard FileManager.default.fileExists(atPath: "\(source)/dataset.json") else {
                throw PretrainingDataError.notLabeled(source)
            }
            return try NNUNetDataset(path: source)
        }
    }
}

extension PretrainingData {
    /// Preprocesses labeled datasets as Med3D did its 3DSeg-8: each is resampled to the median voxel size of its own images,
    /// then every volume is clipped to two of its percentiles and z-scored. Every channel is an image of its own.
    ///
    /// - Parameter path: a store for each dataset is kept in this folder.
    /// - Throws: ``PretrainingDataError``, `DatasetError`, `StoreError`, `FileError`.
    init(
        preparing datasets: [NNUNetDataset], as recipe: PretrainingDataRecipe, at path: String, on cpu: CPU,
        pause: @escaping @Sendable () throws -> Void = {}, notify: @escaping @Sendable (PretrainingNotice) -> Void
    ) throws {
        var (images, subjects, sources): ([Image], [String], [Int]) = ([], [], [])
        var unmatched = Set(recipe.excluded)
        for (index, dataset) in datasets.enumerated() {
            let wanted = dataset.trainingCases.filter { item in
                unmatched.remove(item.name)
                return !recipe.excluded.contains(item.name)
            }
            let channels = wanted.flatMap { item in
                item.imagePaths.enumerated().map { channel, image in
                    let suffix = item.imagePaths.count > 1 ? "__\(channel)" : ""
                    return (
                        subject: item.name,
                        files: DatasetCase(name: item.name + suffix, imagePaths: [image], labelPath: item.labelPath)
                    )
                }
            }.filter { channel in
                guard let objection = recipe.selection.objection(to: channel.files.imagePaths[0]) else { return true }
                notify(.leftOut(name: channel.files.name, reason: objection))
                return false
            }
            guard !channels.isEmpty else { continue }
            var plan = Plan.fixed(
                channelNames: ["image"], outputChannels: 1, spacingMM: try Self.medianSpacingMM(channels.map(\.files)))
            plan.channels[0].normalization = .none
            let name = "\(index)-\(URL(filePath: dataset.path).standardizedFileURL.lastPathComponent)"
            var builder = StoreBuilder(
                plan: plan, knownLabels: dataset.knownLabels, ignoreLabel: dataset.ignoreLabel, unsuitable: .skip)
            builder.pause = pause
            let store = try builder.build(channels.map(\.files), at: "\(path)/\(name)", on: cpu) { progress in
                if let problem = progress.problem { notify(.leftOut(name: progress.name, reason: problem)) }
                notify(.preprocessed(count: progress.finished, total: progress.total))
            }
            let stored = Set(store.caseNames)
            for channel in channels where stored.contains(channel.files.name) {
                let source = try ScaledSource(store.case(channel.files.name))
                images.append(Image(name: "\(name)__\(channel.files.name)", source: source, domain: index))
                subjects.append("\(name)__\(channel.subject)")
                sources.append(index)
            }
        }
        if let name = unmatched.min() { throw PretrainingDataError.nothingToExclude(name: name) }
        guard !images.isEmpty else { throw PretrainingDataError.noImages(sources: recipe.sources) }
        let weights = recipe.imageWeights(ofSources: sources)
        images = zip(images, weights).map {
            Image(name: $0.name, source: $0.source, weight: $1, domain: $0.domain)
        }
        let judges = Self.validationSubjects(subjects, count: recipe.validationSubjects)
        func part(_ judging: Bool) -> [Image] {
            zip(images, subjects).filter { judges.contains($0.1) == judging }.map(\.0)
        }
        self.init(
            training: part(false), validation: part(true),
            domains: datasets.map { dataset in
                let labels = dataset.classes.map(\.label)
                return LabeledDomain(
                    name: dataset.name, classes: Int(labels.max() ?? 0) + 1, ignoredLabel: dataset.ignoreLabel)
            })
    }

    /// The median voxel size along each axis.
    private static func medianSpacingMM(_ cases: [DatasetCase]) throws -> [Double] {
        let all = try cases.map { try NIfTIFile.readHeader($0.imagePaths[0]).geometry.spacingMM }
        return (0..<3).map { axis in
            let sorted = all.map { $0[axis] }.sorted()
            return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
        }
    }
}
