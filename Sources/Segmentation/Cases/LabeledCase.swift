import Synchronization
import Tensors
import Volumes

/// A preprocessed case with labels, to cut patches from or to validate on.
public struct LabeledCase: Sendable {
    /// The case's name.
    public let name: String
    /// Where the voxels are: in memory or in a store.
    public let source: any VoxelSource & Sendable
    /// Voxels to draw patches around.
    public let foreground: ForegroundVoxels?
    /// The size of a voxel along depth, height and width.
    public var spacingMM = [1.0, 1, 1]
    /// What of the image is seen; nil for all of it.
    public var region: CaseRegion?
    /// What a teacher thinks of every voxel; nil without a teacher.
    public var teacherMap: TeacherMap?

    /// A case.
    public init(name: String, source: any VoxelSource & Sendable, foreground: ForegroundVoxels?) {
        (self.name, self.source, self.foreground) = (name, source, foreground)
    }

    /// A case of a preprocessed store; its voxels are read when they are needed.
    /// - Throws: ``StoreError``.
    public init(_ name: String, in store: PreprocessedStore) throws {
        let stored = try store.case(name)
        self.init(name: name, source: stored, foreground: try stored.foreground())
        spacingMM = stored.spacingMM
    }

    /// A case that is read from its files, preprocessed and kept in memory.
    /// - Throws: ``NIfTIError``, ``DatasetError`` (a label outside the dataset's classes, say), ``SegmentationError``.
    public init(_ files: DatasetCase, of dataset: NNUNetDataset, plan: Plan, on cpu: CPU) throws {
        let image = try files.readImage(channelNames: plan.channels.map(\.name))
        guard let labels = try files.readLabels(known: dataset.knownLabels, on: image.geometry) else {
            throw SegmentationError.unlabeled(case: files.name)
        }
        let prepared = try plan.preprocessing(image, labels: labels, on: cpu)
        let patch = Patch(
            image: prepared.voxels, channels: prepared.channelNames.count, labels: prepared.labels,
            extent: prepared.extent)
        let foreground = prepared.labels.map { labels in
            ForegroundVoxels(labels: labels.map { $0 == dataset.ignoreLabel ? 0 : $0 })
        }
        self.init(name: files.name, source: patch, foreground: foreground)
        spacingMM = prepared.spacingMM
    }

    /// The whole case.
    public func whole() throws -> Patch { try source.patch(in: VoxelBox(whole: source.extent)) }

    /// The number of voxels of each label in `0..<labels`. Voxels outside the image do not count.
    /// - Throws: what reading a case of a store throws.
    public func voxelCounts(labels: Int) throws -> [Int] {
        var counts = [Int](repeating: 0, count: labels)
        for label in try whole().labels ?? [] where (0..<labels).contains(Int(label)) { counts[Int(label)] += 1 }
        return counts
    }
}

extension LabeledCase {
    /// Reads and preprocesses several cases at once.
    /// - Returns: the cases in the order of `names`.
    /// - Throws: ``SegmentationError/unknownCase(_:dataset:)``, or the error of the first case that has one.
    public static func load(
        _ names: [String], of dataset: NNUNetDataset, plan: Plan, on cpu: CPU
    ) throws -> [LabeledCase] {
        let files = try names.map(dataset.labeledCase)
        let results = Mutex<[Int: Result<LabeledCase, any Error>]>([:])
        cpu.forEach(files.count) { index in
            let result = Result { try LabeledCase(files[index], of: dataset, plan: plan, on: cpu) }
            results.withLock { $0[index] = result }
        }
        return try results.withLock { results in try files.indices.compactMap { try results[$0]?.get() } }
    }
}

extension NNUNetDataset {
    /// The labeled case called `name`.
    /// - Throws: ``SegmentationError/unknownCase(_:dataset:)``.
    public func labeledCase(_ name: String) throws -> DatasetCase {
        guard let found = trainingCases.first(where: { $0.name == name }) else {
            throw SegmentationError.unknownCase(name, dataset: path)
        }
        return found
    }
}
