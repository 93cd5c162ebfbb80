import Foundation
import Tensors
import WeightFiles

/// What a store knows of a case besides its voxels: where it came from and how to go back.
public struct CaseRecord: Codable, Hashable, Sendable {
    /// The case's name.
    public var name: String
    /// The files that the case was made of, images first.
    public var sources: [SourceFile]
    /// The channels' names.
    public var channelNames: [String]
    /// For each class that occurs, how many of its voxels are kept for drawing patches around them.
    public var foregroundCounts: [Int: Int]
    /// The steps from the files to the stored arrays, and so the way back.
    public var steps: PreprocessingRecord
}

/// The attributes of a case's group: the record and what protects it and the arrays.
struct CaseAttributes: Sealed {
    var warmstart: CaseRecord
    /// The CRC-32 of each array's chunks, in their order.
    var chunkChecksums: [String: [UInt32]]
    /// The CRC-32 of each array's `zarr.json`; stores of earlier versions have none.
    var metadataChecksums: [String: UInt32]?
    var checksum: UInt32 = 0
}
