import Evaluation
import Tensors
import Volumes

extension Comparison {
    /// A comparison on a dataset.
    /// - Parameter initializations: the baseline first.
    /// - Throws: ``ComparisonError`` if there is nothing to compare or not enough cases.
    public init(
        _ dataset: NNUNetDataset, initializations: [Initialization], recipe: ComparisonRecipe, on cpu: CPU
    ) throws {
        try self.init(
            dataset: dataset.name, caseNames: dataset.trainingCases.map(\.name),
            classNames: dataset.structures.map(\.name), initializations: initializations, sizes: recipe.sizes,
            split: recipe.split, seeds: recipe.seeds, recipe: recipe.finetuning,
            arithmetic: "\(cpu.precision.rawValue) on \(cpu.kernelSet)")
    }
}
