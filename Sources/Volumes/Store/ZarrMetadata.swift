import Foundation

/// The `zarr.json` of an array: the part of Zarr version 3 that the store uses.
///
/// Specification: https://zarr-specs.readthedocs.io/en/latest/v3/core/
struct ZarrMetadata: Codable, Hashable {
    struct Configured<Configuration: Codable & Hashable>: Codable, Hashable {
        var name: String
        var configuration: Configuration
    }

    struct ChunkGrid: Codable, Hashable {
        var chunk_shape: [Int]
    }

    struct ChunkKeys: Codable, Hashable {
        var separator: String
    }

    /// The options of the two codecs in use, `bytes` and `zstd`.
    struct CodecOptions: Codable, Hashable {
        var endian: String?
        var level: Int?
        var checksum: Bool?
    }

    var zarr_format = 3
    var node_type = "array"
    var shape: [Int]
    var data_type: String
    var chunk_grid: Configured<ChunkGrid>
    var chunk_key_encoding: Configured<ChunkKeys>
    var fill_value = 0
    var codecs: [Configured<CodecOptions>]
    var dimension_names: [String]

    init(shape: [Int], chunk: [Int], dataType: String, dimensions: [String], level: Int) {
        (self.shape, data_type, dimension_names) = (shape, dataType, dimensions)
        chunk_grid = Configured(name: "regular", configuration: ChunkGrid(chunk_shape: chunk))
        chunk_key_encoding = Configured(name: "default", configuration: ChunkKeys(separator: "/"))
        codecs = [
            Configured(name: "bytes", configuration: CodecOptions(endian: "little")),
            Configured(name: "zstd", configuration: CodecOptions(level: level, checksum: true)),
        ]
    }

    /// What this reader cannot read, or nil.
    var complaint: String? {
        if zarr_format != 3 || node_type != "array" { return "not a Zarr version 3 array" }
        let chunk = chunk_grid.configuration.chunk_shape
        if chunk_grid.name != "regular" || chunk_key_encoding.name != "default"
            || chunk_key_encoding.configuration.separator != "/"
        {
            return "an unknown arrangement of chunks"
        }
        if codecs.map(\.name) != ["bytes", "zstd"] || codecs[0].configuration.endian ?? "little" != "little" {
            return "codecs other than little-endian bytes and zstd"
        }
        // The bound keeps products of sizes far from overflow, and a hostile file from claiming all memory.
        let limit = 1 << 40
        var (voxels, chunkVoxels) = (1, 1)
        guard shape.count == chunk.count, !shape.isEmpty, shape.count <= 8 else {
            return "shape \(shape), chunks \(chunk)"
        }
        for (size, edge) in zip(shape, chunk) {
            guard (1...limit).contains(size), (1...limit).contains(edge) else {
                return "shape \(shape), chunks \(chunk)"
            }
            let (all, part) = (
                voxels.multipliedReportingOverflow(by: size), chunkVoxels.multipliedReportingOverflow(by: edge)
            )
            guard !all.overflow, !part.overflow, all.partialValue <= limit, part.partialValue <= 1 << 28 else {
                return "shape \(shape), chunks \(chunk)"
            }
            (voxels, chunkVoxels) = (all.partialValue, part.partialValue)
        }
        return nil
    }
}

/// The `zarr.json` of a group.
struct ZarrGroup<Attributes: Codable>: Codable {
    var zarr_format = 3
    var node_type = "group"
    var attributes: Attributes
}
