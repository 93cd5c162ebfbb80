import Evaluation
import Foundation
import Synchronization
import Tensors
import Volumes
import WeightFiles

extension Comparison {
    /// A comparison on a dataset.
    /// - Parameter initializations: the baseline first.
    /// - Throws: ``ComparisonError`` if there is nothing to compare or not enough cases; `FileError` for a file that cannot
    ///   be read.
    public init(
        _ dataset: NNUNetDataset, initializations: [Initialization], recipe: ComparisonRecipe, on cpu: CPU
    ) throws {
        var split = recipe.split
        if case .stored = split { split = .stored(try dataset.crossValidation().map(\.validation)) }
        try self.init(
            dataset: dataset.name, caseNames: dataset.trainingCases.map(\.name),
            classNames: dataset.classOfCase == nil ? dataset.structures.map(\.name) : dataset.classes.map(\.name),
            metric: dataset.classOfCase.map { _ in "balanced accuracy" }, initializations: initializations,
            sizes: recipe.sizes, split: split, seeds: recipe.seeds, recipe: recipe.finetuning,
            arithmetic: "\(cpu.precision.rawValue) on \(cpu.kernelSet)",
            dataDigest: try Self.digest(of: dataset, on: cpu))
    }

    /// Identifies the images and labels of all labeled cases.
    private static func digest(of dataset: NNUNetDataset, on cpu: CPU) throws -> String {
        let files =
            dataset.trainingCases.flatMap { $0.imagePaths + [$0.labelPath].compactMap(\.self) }
            + [dataset.classesPath].compactMap(\.self)
        let digests = Mutex([String?](repeating: nil, count: files.count))
        cpu.forEach(files.count) { index in
            let digest = try? ContentDigest.ofFile(files[index])
            digests.withLock { $0[index] = digest }
        }
        let lines = try zip(files, digests.withLock { $0 }).map { file, digest in
            guard let digest else { throw FileError("read", file) }
            return "\(URL(filePath: file).lastPathComponent) \(digest)"
        }
        return ContentDigest.of(Data(lines.joined(separator: "\n").utf8))
    }
}
