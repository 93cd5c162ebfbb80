import Foundation
import Synchronization
import Tensors
import WeightFiles

/// Preprocesses datasets into stores: several cases at once, and only those that are not there yet.
public struct StoreBuilder: Sendable {
    /// What happens to cases that cannot be preprocessed.
    public enum Unsuitable: Sendable {
        /// The first one ends the work; cases that are finished stay.
        case stop
        /// They are left out and reported: for large collections of images of unknown quality.
        case skip
    }

    /// How far the work is.
    public struct Progress: Sendable {
        /// Cases that are done, there before, or left out.
        public var finished: Int
        /// All cases.
        public var total: Int
        /// The case that was finished last.
        public var name: String
        /// Why it was left out; nil if it was not.
        public var problem: String?
    }

    /// The plan to follow.
    public var plan: Plan
    /// The labels that may occur; nil allows all.
    public var knownLabels: [Int16]?
    /// A label that takes no part in training.
    public var ignoreLabel: Int16?
    /// What happens to cases that cannot be preprocessed.
    public var unsuitable: Unsuitable
    /// Which part of the store's cases this process adds, where several fill one store; nil if it fills the store alone.
    public var part: String?
    /// Where the labels of a case come from, given the grid of its image; nil: from its label file.
    public var labels: (@Sendable (DatasetCase, Geometry) throws -> LabelVolume?)?
    /// The files that ``labels`` reads for a case.
    public var labelFiles: @Sendable (DatasetCase) -> [String] = { _ in [] }
    /// Called now and then between the steps of a case: what it throws ends the work, finished cases stay.
    public var pause: @Sendable () throws -> Void = {}

    /// A builder that follows `plan`.
    public init(
        plan: Plan, knownLabels: [Int16]? = nil, ignoreLabel: Int16? = nil, unsuitable: Unsuitable = .stop
    ) {
        (self.plan, self.knownLabels, self.ignoreLabel, self.unsuitable) = (plan, knownLabels, ignoreLabel, unsuitable)
    }

    /// A builder for a labeled dataset.
    public init(plan: Plan, dataset: NNUNetDataset) {
        self.init(plan: plan, knownLabels: dataset.knownLabels, ignoreLabel: dataset.ignoreLabel)
    }

    /// Adds the cases that the store at `path` does not have yet, and makes sure that the others were made of the files as
    /// they are now. Interrupted work goes on where it was.
    ///
    /// - Parameters:
    ///   - cpu: its threads share the cases.
    ///   - progress: called after each case, one call at a time, on any thread.
    /// - Returns: the store.
    /// - Throws: ``StoreError``: `otherPlan`, `changedSource`; `FolderInUse` while another process fills the store;
    ///   ``NIfTIError``, ``DatasetError``, ``PreprocessingError``, ``FileError``; what ``pause`` throws.
    public func build(
        _ cases: [DatasetCase], at path: String, on cpu: CPU, progress: @Sendable (Progress) -> Void = { _ in }
    ) throws -> PreprocessedStore {
        func missingCases() throws -> [DatasetCase] {
            let present = Set(try PreprocessedStore.caseNames(in: path))
            return cases.filter { !present.contains($0.name) }
        }
        // Many may read a store, one fills it, or each part of it.
        let isComplete = try isComplete(path, missingCases)
        let lock = isComplete ? nil : try takeOver(path)
        defer { withExtendedLifetime(lock) {} }
        // Whoever was killed after the last case is in nobody's way, but should not be in sight either.
        if isComplete { FolderLock.removeStale(in: path) }
        try PreprocessedStore.create(at: path, plan: plan)
        let missing = try missingCases()
        try requireSameSources(cases, except: Set(missing.map(\.name)), at: path, on: cpu)
        let finished = Mutex(cases.count - missing.count)
        _ = try cpu.mapCases(missing) { source in
            var problem: String?
            do {
                try add(source, to: path, on: cpu)
            } catch let error as any UserFacingError where unsuitable == .skip && error.exitCode == ExitStatus.badData {
                problem = "\(error)"
            }
            finished.withLock { finished in
                finished += 1
                progress(Progress(finished: finished, total: cases.count, name: source.name, problem: problem))
            }
        }
        return try PreprocessedStore(opening: path)
    }

    /// Whether the store at `path` is there and lacks no case.
    private func isComplete(_ path: String, _ missing: () throws -> [DatasetCase]) throws -> Bool {
        try FileManager.default.fileExists(atPath: "\(path)/zarr.json") && missing().isEmpty
    }

    /// Takes the folder of a store, and removes what killed processes left in it, if no other fills it.
    private func takeOver(_ path: String) throws -> FolderLock {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw FileError("create", path, error)
        }
        let lock = try FolderLock(path, part: part)
        guard part == nil else { return lock }
        AtomicFile.removeTemporaries(in: path)
        try AtomicDirectory.recoverAll(in: path)
        return lock
    }

    private func add(_ source: DatasetCase, to path: String, on cpu: CPU) throws {
        try pause()
        // Before the images are read: a file that is replaced meanwhile is noticed next time. What is wrong with a file, its
        // reader says better.
        let sources = Result { try files(of: source).map(SourceFile.init(of:)) }
        let image = try source.readImage(channelNames: plan.channels.map(\.name))
        let labels =
            try labels.map { try $0(source, image.geometry) }
            ?? source.readLabels(known: knownLabels, on: image.geometry)
        try pause()
        let preprocessed = try plan.preprocessing(image, labels: labels, on: cpu)
        try pause()
        try PreprocessedStore.write(
            preprocessed, named: source.name, sources: sources.get(), ignoreLabel: ignoreLabel, to: path)
    }

    /// The files that a case is made of.
    private func files(of source: DatasetCase) -> [String] {
        (source.imagePaths + [source.labelPath].compactMap(\.self) + labelFiles(source)).flatMap(NIfTIFile.files)
    }

    /// Makes sure that stored cases were made of the files as they are now.
    private func requireSameSources(
        _ cases: [DatasetCase], except missing: Set<String>, at path: String, on cpu: CPU
    ) throws {
        _ = try cpu.mapCases(cases.filter { !missing.contains($0.name) }) { source in
            try pause()
            let recorded = try StoredCase.attributes(of: source.name, in: path).warmstart.sources
            let files = files(of: source)
            for index in 0..<max(files.count, recorded.count) {
                let file = index < files.count ? files[index] : recorded[index].name
                let difference =
                    if index >= files.count {
                        "nothing to do with it any more"
                    } else if index >= recorded.count {
                        "nothing that was known then"
                    } else {
                        try recorded[index].difference(from: file, readBefore: "\(path)/\(source.name)/zarr.json")
                    }
                if let difference {
                    throw StoreError.changedSource(
                        case: source.name, path: path, file: file, difference: difference)
                }
            }
        }
    }
}

extension Plan {
    /// The steps from a file's voxels to the network's input.
    public var preprocessing: Preprocessing {
        Preprocessing(
            spacingMM: spacingMM, normalization: channels.map(\.normalization), axisOrder: transpose)
    }
}
