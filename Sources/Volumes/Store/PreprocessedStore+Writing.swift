import Foundation
import Tensors
import WeightFiles

extension PreprocessedStore {
    /// Makes an empty store, or finds that one of the same plan is there.
    /// - Throws: ``StoreError``: `otherPlan`; ``FileError``, ``PlanError``.
    public static func create(at path: String, plan: Plan) throws {
        if let stored = try storedPlan(in: path) {
            guard stored == plan else { throw StoreError.otherPlan(path: path) }
            return
        }
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw FileError("create", path, error)
        }
        let group = ZarrGroup(attributes: try StoreAttributes(plan: plan).sealed())
        try AtomicFile.write(try JSONEncoder.canonical.encode(group), to: path + "/zarr.json")
    }

    /// Writes one case into the store at `path`, or replaces it; it is there as a whole or not at all.
    ///
    /// - Parameters:
    ///   - sources: the files that the case was made of.
    ///   - ignoreLabel: a label around which no patches are drawn.
    /// - Throws: ``StoreError``: `badName`; ``FileError``.
    public static func write(
        _ preprocessed: PreprocessedCase, named name: String, sources: [SourceFile], ignoreLabel: Int16? = nil,
        to path: String
    ) throws {
        guard isAllowed(name) else { throw StoreError.badName(name) }
        let foreground = preprocessed.labels.map { ForegroundVoxels(labels: $0, ignoring: ignoreLabel) }
        let counts = (foreground?.classes ?? []).map { ($0.label, $0.voxels.count) }
        let record = CaseRecord(
            name: name, sources: sources, channelNames: preprocessed.channelNames,
            foregroundCounts: Dictionary(uniqueKeysWithValues: counts), steps: preprocessed.record)
        try AtomicDirectory.replace(path + "/" + name) { folder in
            let arrays = try writeArrays(preprocessed, foreground, in: folder)
            let group = ZarrGroup(
                attributes: try CaseAttributes(
                    warmstart: record, chunkChecksums: arrays.mapValues(\.checksums),
                    metadataChecksums: arrays.mapValues(\.metadataChecksum)
                ).sealed())
            try AtomicFile.write(try JSONEncoder.canonical.encode(group), to: folder + "/zarr.json")
        }
    }

    /// Writes a case's arrays.
    /// - Returns: the arrays by name.
    private static func writeArrays(
        _ preprocessed: PreprocessedCase, _ foreground: ForegroundVoxels?, in folder: String
    ) throws -> [String: ZarrArray] {
        var arrays: [String: ZarrArray] = [:]
        func add<Element: ZarrElement>(
            _ name: String, _ elements: [Element], shape: [Int], chunk: [Int], dimensions: [String]
        ) throws {
            arrays[name] = try elements.withUnsafeBufferPointer {
                try ZarrArray.write($0, shape: shape, chunk: chunk, dimensions: dimensions, to: folder + "/" + name)
            }
        }
        let (size, channels, axes) = (
            preprocessed.extent.dimensions, preprocessed.channelNames.count, ["depth", "height", "width"]
        )
        let edges = size.map(chunkEdge)
        try add(
            "image", preprocessed.voxels, shape: [channels] + size, chunk: [channels] + edges,
            dimensions: ["channel"] + axes)
        if let labels = preprocessed.labels {
            if labels.allSatisfy({ Int16(Int8.min)...Int16(Int8.max) ~= $0 }) {
                try add("labels", labels.map { Int8($0) }, shape: size, chunk: edges, dimensions: axes)
            } else {
                try add("labels", labels, shape: size, chunk: edges, dimensions: axes)
            }
        }
        if let rows = foreground?.rows(in: preprocessed.extent), !rows.isEmpty {
            let shape = [rows.count / 4, 4]
            try add(
                "foreground", rows, shape: shape, chunk: [min(shape[0], 1 << 15), 4], dimensions: ["voxel", "place"])
        }
        return arrays
    }

    /// Near-equal chunks of 32 to 72 voxels along an axis: a patch touches little beyond itself, a small image is one chunk.
    private static func chunkEdge(for size: Int) -> Int {
        let chunks = max(1, Int((Double(size) / 48).rounded()))
        return (size + chunks - 1) / chunks
    }
}
