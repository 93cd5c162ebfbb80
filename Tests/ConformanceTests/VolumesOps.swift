/// Operations of the oracle's sets that the room `Volumes` answers.
enum VolumesOps {
    static let operations: [String: OracleOperation] = [:]
}
