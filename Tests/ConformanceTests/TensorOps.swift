/// Operations of the oracle's sets that the room `Tensors` answers.
enum TensorOps {
    static let operations: [String: OracleOperation] = [:]
}
