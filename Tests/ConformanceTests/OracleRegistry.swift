import Tensors

/// Every operation that the sets may name: one table per room, each in its own file.
enum OracleRegistry {
    static let operations: [String: OracleOperation] = merged([
        TensorOps.operations, LossOps.operations, NetworkOps.operations, TrainingOps.operations,
        VolumesOps.operations, SegmentationOps.operations, WeightFileOps.operations, EvaluationOps.operations,
    ])

    private static func merged(_ tables: [[String: OracleOperation]]) -> [String: OracleOperation] {
        tables.reduce(into: [:]) { all, table in
            all.merge(table) { _, _ in fatalError("two tables name the same operation: \(table.keys.sorted())") }
        }
    }
}
