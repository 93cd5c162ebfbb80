import Foundation
import Tensors

/// One case of a preprocessed store. Reading a box unpacks only the chunks that it touches.
public struct StoredCase: VoxelSource, Sendable {
    /// Where the case came from and how to go back.
    public let record: CaseRecord
    private let image: ZarrArray
    private let labels: ZarrArray?
    private let foregroundArray: ZarrArray?
    private let store: String
    private let cache: StoreCache

    init(opening name: String, of store: String, cache: StoreCache) throws {
        let path = store + "/" + name
        func damaged(_ reason: String) -> StoreError { .damaged(part: name, path: store, reason: reason) }
        let attributes = try Self.attributes(of: name, in: store)
        func array(_ part: String, _ types: [String]) throws -> ZarrArray? {
            guard let checksums = attributes.chunkChecksums[part] else { return nil }
            let array = try ZarrArray(
                opening: path + "/" + part, checksums: checksums, expecting: types, part: "\(name)/\(part)",
                store: store)
            if let recorded = attributes.metadataChecksums?[part], recorded != array.metadataChecksum {
                throw damaged("the checksum of \(part)/zarr.json is not the one recorded")
            }
            return array
        }
        record = attributes.warmstart
        guard let image = try array("image", [Float.dataType]) else { throw damaged("it has no image") }
        self.image = image
        labels = try array("labels", [Int8.dataType, Int16.dataType])
        foregroundArray = try array("foreground", [Int32.dataType])
        (self.store, self.cache) = (store, cache)

        let size = record.steps.extent.dimensions
        guard record.name == name, image.shape == [record.channelNames.count] + size, image.chunk[0] == image.shape[0],
            labels.map({ $0.shape == size }) ?? true,
            foregroundArray.map({ $0.shape.last == 4 && $0.shape.count == 2 }) ?? true
        else { throw damaged("its arrays do not have the recorded shapes") }
    }

    /// What the case's `zarr.json` says, once it is found intact.
    static func attributes(of name: String, in store: String) throws -> CaseAttributes {
        func damaged(_ reason: String) -> StoreError { .damaged(part: name, path: store, reason: reason) }
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: "\(store)/\(name)/zarr.json")) else {
            throw StoreError.noSuchCase(name: name, path: store)
        }
        let attributes: CaseAttributes
        do {
            attributes = try JSONDecoder().decode(ZarrGroup<CaseAttributes>.self, from: data).attributes
        } catch let error as DecodingError {
            throw damaged("zarr.json: \(error.placeAndReason)")
        }
        guard attributes.isIntact else { throw damaged("the checksum of its zarr.json is not the one recorded") }
        return attributes
    }

    /// The size of the stored arrays.
    public var extent: Extent3 { record.steps.extent }
    /// The size of a voxel along depth, height and width.
    public var spacingMM: [Double] { record.steps.spacingMM }
    /// The number of channels.
    public var channels: Int { record.channelNames.count }
    /// Whether the case has labels.
    public var isLabeled: Bool { labels != nil }

    /// All voxels.
    /// - Throws: ``StoreError``: `damaged`, naming case and chunk.
    public func whole() throws -> Patch { try patch(in: VoxelBox(whole: extent)) }

    /// The voxels in `box`; image 0 and label -1 beyond the case.
    /// - Throws: ``StoreError``: `damaged`, naming case and chunk.
    public func patch(in box: VoxelBox) throws -> Patch {
        var patch = Patch(paddingOf: box.extent, channels: channels, isLabeled: isLabeled)
        let whole = VoxelBox(whole: extent)
        try forEachChunk(of: image, touching: box) { number, chunk in
            let voxels = try cache.image(of: record.name, chunk: number) {
                try image.readChunk(number, as: Float.self, part: "\(record.name)/image", store: store)
            }
            copy(voxels, in: chunk, within: whole, to: &patch.image, in: box, volumes: channels)
        }
        guard let labels, var target = patch.labels.take() else { return patch }
        try forEachChunk(of: labels, touching: box) { number, chunk in
            let voxels = try cache.labels(of: record.name, chunk: number) { try read(labels, number) }
            copy(voxels, in: chunk, within: whole, to: &target, in: box, volumes: 1)
        }
        patch.labels = target
        return patch
    }

    /// The voxels around which patches may be drawn; nil without labels.
    /// - Throws: ``StoreError``: `damaged`, naming case and chunk.
    public func foreground() throws -> ForegroundVoxels? {
        guard isLabeled else { return nil }
        return try cache.foreground(of: record.name) {
            guard let foregroundArray else { return ForegroundVoxels(classes: []) }
            var rows: [Int32] = []
            for number in 0..<foregroundArray.grid[0] {
                rows += try foregroundArray.readChunk(
                    number, as: Int32.self, part: "\(record.name)/foreground", store: store)
            }
            return try ForegroundVoxels(rows: rows.prefix(foregroundArray.shape[0] * 4), extent: extent) {
                StoreError.damaged(
                    part: "\(record.name)/foreground", path: store, reason: "a voxel lies outside the image")
            }
        }
    }

    /// Reads everything.
    /// - Throws: ``StoreError``: `damaged`, naming case and chunk.
    public func verify() throws {
        _ = try whole()
        _ = try foreground()
    }

    private func read(_ labels: ZarrArray, _ number: Int) throws -> [Int16] {
        let part = "\(record.name)/labels"
        if labels.dataType == Int16.dataType {
            return try labels.readChunk(number, as: Int16.self, part: part, store: store)
        }
        return try labels.readChunk(number, as: Int8.self, part: part, store: store).map(Int16.init)
    }

    /// Visits the chunks of an array `[..., D, H, W]`, whole along leading axes, that a box touches.
    private func forEachChunk(of array: ZarrArray, touching box: VoxelBox, _ body: (Int, VoxelBox) throws -> Void)
        rethrows
    {
        let shared = box.intersection(VoxelBox(whole: extent))
        guard shared.extent.volume > 0 else { return }
        let (edges, grid) = (Array(array.chunk.suffix(3)), Array(array.grid.suffix(3)))
        let touched = (0..<3).map { shared[$0].lowerBound / edges[$0]...(shared[$0].upperBound - 1) / edges[$0] }
        for depth in touched[0] {
            for height in touched[1] {
                for width in touched[2] {
                    let number = (depth * grid[1] + height) * grid[2] + width
                    let origin = [depth * edges[0], height * edges[1], width * edges[2]]
                    try body(number, VoxelBox(origin: origin, extent: Extent3(dimensions: edges)))
                }
            }
        }
    }

    private func copy<Element>(
        _ source: [Element], in chunk: VoxelBox, within whole: VoxelBox, to target: inout [Element], in box: VoxelBox,
        volumes: Int
    ) {
        source.withUnsafeBufferPointer { source in
            target.withUnsafeMutableBufferPointer { target in
                chunk.copy(source, to: target, in: box, within: whole, volumes: volumes)
            }
        }
    }
}

/// The unpacked pieces of a store's cases that stay in memory: a small dataset as a whole, of a large one what was used
/// last.
final class StoreCache: Sendable {
    private struct Key: Hashable {
        var name: String
        var chunk: Int
    }

    private let images: PieceCache<Key, [Float]>
    private let labelMaps: PieceCache<Key, [Int16]>
    private let foregrounds: PieceCache<String, ForegroundVoxels>

    init(bytes: Int) {
        images = PieceCache(bytes: bytes / 2)
        labelMaps = PieceCache(bytes: bytes / 4)
        foregrounds = PieceCache(bytes: bytes / 4)
    }

    func image(of name: String, chunk: Int, read: () throws -> [Float]) rethrows -> [Float] {
        try images.value(of: Key(name: name, chunk: chunk)) {
            let voxels = try read()
            return (voxels, voxels.count * MemoryLayout<Float>.stride)
        }
    }

    func labels(of name: String, chunk: Int, read: () throws -> [Int16]) rethrows -> [Int16] {
        try labelMaps.value(of: Key(name: name, chunk: chunk)) {
            let voxels = try read()
            return (voxels, voxels.count * MemoryLayout<Int16>.stride)
        }
    }

    func foreground(of name: String, read: () throws -> ForegroundVoxels) rethrows -> ForegroundVoxels {
        try foregrounds.value(of: name) {
            let voxels = try read()
            return (voxels, voxels.classes.reduce(0) { $0 + $1.voxels.count } * MemoryLayout<Int32>.stride)
        }
    }
}

extension ForegroundVoxels {
    /// The rows `(label, depth, height, width)` that a store keeps.
    func rows(in extent: Extent3) -> [Int32] {
        classes.flatMap { members in
            members.voxels.flatMap { voxel in
                let (row, width) = voxel.quotientAndRemainder(dividingBy: Int32(extent.width))
                let (depth, height) = row.quotientAndRemainder(dividingBy: Int32(extent.height))
                return [Int32(members.label), depth, height, width]
            }
        }
    }

    /// Reverses ``rows(in:)``; rows of one class follow each other.
    fileprivate init(rows: ArraySlice<Int32>, extent: Extent3, outside: () -> StoreError) throws {
        var classes: [Class] = []
        for start in stride(from: rows.startIndex, to: rows.endIndex, by: 4) {
            let place = rows[start + 1..<start + 4].map(Int.init)
            guard (0..<3).allSatisfy({ (0..<extent[$0]).contains(place[$0]) }) else { throw outside() }
            let voxel = Int32((place[0] * extent.height + place[1]) * extent.width + place[2])
            if classes.last?.label != Int(rows[start]) { classes.append(Class(label: Int(rows[start]), voxels: [])) }
            classes[classes.count - 1].voxels.append(voxel)
        }
        self.init(classes: classes)
    }
}
