import Evaluation
import Foundation
import Synchronization
import Tensors
import Volumes
import WeightFiles

extension Comparison {
    /// A comparison on a dataset.
    /// - Parameters:
    ///   - initializations: the baseline first.
    ///   - others: datasets to test on beside it, with their names in tables.
    /// - Throws: ``ComparisonError`` if there is nothing to compare or not enough cases, or where another dataset has other
    ///   classes or the same images; `FileError` for a file that cannot be read.
    public init(
        _ dataset: NNUNetDataset, initializations: [Initialization], recipe: ComparisonRecipe,
        transfer others: [(name: String, dataset: NNUNetDataset)] = [], on cpu: CPU
    ) throws {
        var split = recipe.split
        if case .stored = split { split = .stored(try dataset.crossValidation().map(\.validation)) }
        let content = try DatasetContent(dataset, on: cpu)
        let targets = try others.map { name, other in
            try dataset.requireSameTask(other, called: name)
            let theirs = try DatasetContent(other, on: cpu)
            if let (own, copy) = content.firstImage(sharedWith: theirs) {
                throw ComparisonError.sharedImage(case: own, target: name, copy: copy)
            }
            return TransferTarget(
                name: name, dataset: other.name,
                folder: URL(filePath: other.path).standardizedFileURL.lastPathComponent,
                cases: other.trainingCases.map(\.name).sorted(), digest: theirs.digest)
        }
        try self.init(
            dataset: dataset.name, caseNames: dataset.trainingCases.map(\.name),
            classNames: dataset.classOfCase == nil ? dataset.structures.map(\.name) : dataset.classes.map(\.name),
            metric: dataset.classOfCase.map { _ in "balanced accuracy" },
            initializations: try initializations.map { try $0.withModels(otherwise: recipe.finetuning) },
            sizes: recipe.sizes, split: split, seeds: recipe.seeds, recipe: recipe.finetuning,
            arithmetic: "\(cpu.precision.rawValue) on \(cpu.kernelSet)",
            dataDigest: content.digest, transfer: targets)
    }
}

extension Initialization {
    /// The same with what identifies the networks that its training, or else that of the recipe `usual`, takes from other runs, if
    /// they are there: a training says what is missing, and what is finished needs none.
    /// - Throws: `FileError`, `RecipeError`.
    fileprivate func withModels(otherwise usual: String) throws -> Initialization {
        let files = try ComparisonRecipe.finetuning(recipe ?? usual, seed: 0).0.weightsOfModels
        guard !files.isEmpty, files.allSatisfy(FileManager.default.fileExists) else { return self }
        var known = self
        known.models = ContentDigest.of(Data(try files.map(ContentDigest.ofFile).joined(separator: "\n").utf8))
        return known
    }
}

extension NNUNetDataset {
    /// Makes sure that a network for this dataset can segment another.
    fileprivate func requireSameTask(_ other: NNUNetDataset, called name: String) throws {
        for (difference, isSame) in [
            ("kind of task", classOfCase == nil && other.classOfCase == nil),
            ("classes", structures == other.structures),
            ("number of channels", channelNames.count == other.channelNames.count),
            // Names may be others, but the same ones stand in the same order.
            ("order of channels", channelNames == other.channelNames || Set(channelNames) != Set(other.channelNames)),
            ("ignored label", ignoreLabel == other.ignoreLabel),
        ] where !isSame {
            throw ComparisonError.otherTask(target: name, difference: difference)
        }
    }
}

/// What identifies the images and labels of all labeled cases of a dataset.
private struct DatasetContent {
    /// Of all files together.
    let digest: String
    /// The case of each image, by its content.
    private let cases: [String: String]

    init(_ dataset: NNUNetDataset, on cpu: CPU) throws {
        let files =
            dataset.trainingCases.flatMap { $0.imagePaths + [$0.labelPath].compactMap(\.self) }.flatMap(NIfTIFile.files)
            + [dataset.classesPath].compactMap(\.self)
        let digests = Mutex([String?](repeating: nil, count: files.count))
        cpu.forEach(files.count) { index in
            let digest = try? ContentDigest.ofFile(files[index])
            digests.withLock { $0[index] = digest }
        }
        let found = try zip(files, digests.withLock { $0 }).map { file, digest in
            guard let digest else { throw FileError("read", file) }
            return (file: file, digest: digest)
        }
        let lines = found.map { "\(URL(filePath: $0.file).lastPathComponent) \($0.digest)" }
        digest = ContentDigest.of(Data(lines.joined(separator: "\n").utf8))
        let ofFile = Dictionary(found.map { ($0.file, $0.digest) }) { first, _ in first }
        func content(_ item: DatasetCase) -> String {
            item.imagePaths.flatMap(NIfTIFile.files).compactMap { ofFile[$0] }.joined(separator: " ")
        }
        cases = Dictionary(dataset.trainingCases.map { (content($0), $0.name) }) { first, _ in first }
    }

    /// A case of this dataset and a case of the other that have the same image; nil without any.
    func firstImage(sharedWith other: DatasetContent) -> (own: String, other: String)? {
        cases.sorted { $0.value < $1.value }.lazy.compactMap { content, own in
            other.cases[content].map { (own, $0) }
        }.first
    }
}
