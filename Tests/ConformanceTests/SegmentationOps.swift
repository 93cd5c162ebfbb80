/// Operations of the oracle's sets that the room `Segmentation` answers.
enum SegmentationOps {
    static let operations: [String: OracleOperation] = [:]
}
