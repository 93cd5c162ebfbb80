/// Operations of the oracle's sets that the room `Networks` answers.
enum NetworkOps {
    static let operations: [String: OracleOperation] = [:]
}
