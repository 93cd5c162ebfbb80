/// Operations of the oracle's sets that are losses.
enum LossOps {
    static let operations: [String: OracleOperation] = [:]
}
