import Segmentation
import Tensors
import Training
import Volumes

extension FinetuneRun {
    /// The cases to train on, then those to validate on while training.
    var shownCases: [String] { trainingCases + validationCases.sorted().evenlySpaced(recipe.validationCases) }

    /// All cases, preprocessed, if they fit into memory and no store is wanted; else nil.
    /// - Throws: errors of data and files, naming the case.
    func casesInMemory(_ plan: Plan) throws -> [LabeledCase]? {
        guard store == nil, try preprocessedBytes(plan) <= memoryBudget else { return nil }
        return try LabeledCase.load(shownCases, of: dataset, plan: plan, on: cpu)
    }

    /// All cases in the store, which gets those that it lacks.
    /// - Throws: errors of data and files, naming the case; `PreprocessingInterrupted`.
    func casesInStore(_ plan: Plan, _ interruption: Interruption) throws -> [LabeledCase] {
        let files = try shownCases.map(dataset.labeledCase)
        var builder = StoreBuilder(plan: plan, dataset: dataset)
        builder.pause = { [folder] in
            if interruption.isRequested {
                throw PreprocessingInterrupted(remedy: "continue with --resume --out \(folder)")
            }
        }
        let store = try builder.build(files, at: store ?? "\(folder)/preprocessed", on: cpu)
        return try shownCases.map { try LabeledCase($0, in: store) }
    }

    /// The memory that the preprocessed cases take, from the headers of their files; cropping is left out.
    private func preprocessedBytes(_ plan: Plan) throws -> Int {
        let bytesPerVoxel = plan.channels.count * MemoryLayout<Float>.size + MemoryLayout<Int16>.size
        return try shownCases.reduce(0) { sum, name in
            let geometry = try NIfTIFile.readHeader(dataset.labeledCase(name).imagePaths[0]).geometry
            let spacing = plan.transpose(geometry.spacingMM)
            let extent = Resampling.extent(
                of: plan.transpose(geometry.extent), spacingMM: spacing,
                at: zip(plan.spacingMM, spacing).map { $0 ?? $1 })
            return sum + extent.volume * bytesPerVoxel
        }
    }
}

extension Array {
    /// At most `count` elements, evenly spaced, the first among them.
    fileprivate func evenlySpaced(_ count: Int) -> [Element] {
        guard count < self.count else { return self }
        return (0..<count).map { self[$0 * self.count / count] }
    }
}
