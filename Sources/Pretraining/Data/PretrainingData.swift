import Tensors
import Volumes

/// Preprocessed images: most to learn from, some to judge by.
public struct PretrainingData: Sendable {
    /// An image that patches are cut from.
    public struct Image: Sendable {
        /// The image's name, for messages.
        public let name: String
        /// Where the voxels are: in memory or in a store.
        public let source: any VoxelSource & Sendable
        /// Voxels of the anatomy that patches are to show; nil: any.
        public let anatomy: ForegroundVoxels?
        /// How likely the image is drawn, relative to the others.
        public let weight: Double
        /// The labeled dataset that it is from, an index of ``PretrainingData/domains``.
        public let domain: Int

        /// An image of one channel. Its labels, if there are any, are those of its domain or else of ``RegionLabel``.
        public init(
            name: String, source: any VoxelSource & Sendable, anatomy: ForegroundVoxels? = nil, weight: Double = 1,
            domain: Int = 0
        ) {
            (self.name, self.source, self.anatomy) = (name, source, anatomy)
            (self.weight, self.domain) = (weight, domain)
        }
    }

    /// What the network learns from.
    public var training: [Image]
    /// What it never sees but to be judged; may be empty.
    public var validation: [Image]

    /// The labeled datasets that images are from; none for methods without labels.
    public var domains: [LabeledDomain]

    /// Images in memory.
    public init(training: [Image], validation: [Image], domains: [LabeledDomain] = []) {
        (self.training, self.validation, self.domains) = (training, validation, domains)
    }

    /// Preprocesses all images that a recipe names, see ``init(preparing:as:spacingMM:at:on:notify:)``.
    public init(
        preparing recipe: PretrainingDataRecipe, spacingMM: [Double], at path: String, on cpu: CPU,
        notify: @escaping @Sendable (PretrainingNotice) -> Void
    ) throws {
        try self.init(
            preparing: ImageCollection(sources: recipe.sources, excluding: recipe.excluded), as: recipe,
            spacingMM: spacingMM, at: path, on: cpu, notify: notify)
    }

    /// Preprocesses the images that are not in the store at `path` yet, and parts training from validation.
    ///
    /// Each image by itself is cropped to what is not zero, z-scored over all voxels, and resampled.
    /// - Parameters:
    ///   - spacingMM: the size of voxels along depth, height and width.
    ///   - pause: called now and then: what it throws ends the work, what is finished stays in the store.
    ///   - notify: is told of every image that is left out and why, and how far the work is; on any thread.
    /// - Throws: ``PretrainingDataError``, `DatasetError`, `StoreError`, `FileError`; what `pause` throws.
    public init(
        preparing collection: ImageCollection, as recipe: PretrainingDataRecipe, spacingMM: [Double], at path: String,
        on cpu: CPU, pause: @escaping @Sendable () throws -> Void = {},
        notify: @escaping @Sendable (PretrainingNotice) -> Void
    ) throws {
        let all = collection.items
        var firstObjection: String?
        let suitable = all.filter { item in
            let objection = recipe.modalities.objection(to: item.modality) ?? recipe.selection.objection(to: item.path)
            guard let objection else { return true }
            notify(.leftOut(name: item.name, reason: objection))
            firstObjection = firstObjection ?? "\(item.path): \(objection)"
            return false
        }
        // The store depends on the voxel size only, so that recipes of other patches and networks may share it.
        let plan = Plan.fixed(channelNames: ["image"], outputChannels: 1, spacingMM: spacingMM)
        let regions = Dictionary(suitable.map { ($0.name, $0.regions) }, uniquingKeysWith: { first, _ in first })
        var builder = StoreBuilder(plan: plan, ignoreLabel: RegionLabel.anonymized, unsuitable: .skip)
        builder.labels = { source, geometry in
            try regions[source.name]?.labels(of: source, on: geometry, invertingAnatomy: recipe.invertsAnatomy)
        }
        builder.labelFiles = { regions[$0.name]?.files ?? [] }
        builder.pause = pause
        let store = try builder.build(
            suitable.map { DatasetCase(name: $0.name, imagePaths: [$0.path]) }, at: path, on: cpu
        ) { progress in
            if let problem = progress.problem { notify(.leftOut(name: progress.name, reason: problem)) }
            notify(.preprocessed(count: progress.finished, total: progress.total))
        }
        let stored = Set(store.caseNames)
        let ready = suitable.filter { stored.contains($0.name) }
        guard !ready.isEmpty else {
            throw PretrainingDataError.noSuitableImages(count: all.count, example: firstObjection ?? "see above")
        }
        let judges = Self.validationSubjects(ready.map(\.subject), count: recipe.validationSubjects)
        let weights = recipe.imageWeights(ofSources: ready.map(\.source))
        func images(_ isWanted: (ImageCollection.Item) -> Bool) throws -> [Image] {
            try zip(ready, weights).filter { isWanted($0.0) }.map { item, weight in
                let stored = try store.case(item.name)
                return Image(name: item.name, source: stored, anatomy: try stored.foreground(), weight: weight)
            }
        }
        self.init(
            training: try images { !judges.contains($0.subject) },
            validation: try images { judges.contains($0.subject) })
    }

    /// The subjects that judge: `min(1000, max(n / 100, 5))` of `n` as in the public code, but at most a fifth.
    static func validationSubjects(_ subjects: [String], count: Int?) -> Set<String> {
        let all = Set(subjects).sorted()
        let usual = min(1000, max(all.count / 100, 5), all.count / 5)
        var draws = Draws(seed: 12_345, purpose: "validation-split")
        return Set(draws.permutation(of: all.count).prefix(min(count ?? usual, all.count - 1)).map { all[$0] })
    }
}

/// What happens while images are prepared.
public enum PretrainingNotice: Sendable, Equatable {
    /// An image is not used.
    case leftOut(name: String, reason: String)
    /// So many images are done.
    case preprocessed(count: Int, total: Int)
}
