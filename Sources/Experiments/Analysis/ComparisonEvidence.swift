import Evaluation
import Tensors
import Volumes

/// What is needed to look behind the scores of a comparison: the dataset, and how its cases belong together.
public struct ComparisonEvidence: Sendable {
    /// The labeled cases.
    public var dataset: NNUNetDataset
    /// Groups of cases beside those by size.
    public var subgroups: SubgroupFile?
    private let cpu: CPU

    /// The evidence that `dataset` gives.
    public init(_ dataset: NNUNetDataset, subgroups: SubgroupFile? = nil, on cpu: CPU) {
        (self.dataset, self.subgroups, self.cpu) = (dataset, subgroups, cpu)
    }

    /// Measures the predictions of the finished cells, and draws slices of the worst cases.
    /// - Throws: errors of files.
    func collect(
        _ comparison: Comparison, outcomes: [CellKey: CellOutcome], folder: String, bootstrap: Bootstrap
    ) throws -> (analysis: ComparisonAnalysis?, slices: [CaseSlices]) {
        let store = FactStore(folder: folder, dataset: dataset, cpu: cpu)
        let cells = comparison.cells.filter { outcomes[$0.key] != nil }
        var facts: [CellKey: CellFacts] = [:]
        for cell in cells { facts[cell.key] = try store.facts(of: cell) }
        let analysis = ComparisonAnalysis(
            comparison, outcomes: outcomes, facts: facts, subgroups: subgroups, bootstrap: bootstrap)
        let measured = cells.filter { facts[$0.key] != nil }
        let largest = ComparisonAnalysis.largestSize(of: comparison, facts)
        let slices = try (analysis?.worstCases ?? []).compactMap { worst -> CaseSlices? in
            // The first run of each initialization that tested the case.
            let shown = comparison.initializations.compactMap { initialization in
                measured.first {
                    $0.key.initialization == initialization.name && $0.key.size == largest
                        && $0.testCases.contains(worst.name)
                }
            }
            return try CaseSlices(
                of: worst.name, dataset: dataset,
                predictions: shown.map { ($0.key.initialization, store.predictions(of: $0)) })
        }
        return (analysis, slices)
    }
}
