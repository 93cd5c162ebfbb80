/// Operations of the oracle's sets that the room `Training` answers.
enum TrainingOps {
    static let operations: [String: OracleOperation] = [:]
}
