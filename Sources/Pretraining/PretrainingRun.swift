import Ranks
import Tensors
import Training
import Volumes

/// A pre-training from a recipe to weights in a run directory.
public struct PretrainingRun {
    /// What is decided.
    public let recipe: PretrainingRecipe
    /// All values of the recipe, for the run directory.
    public let resolved: ResolvedRecipe
    /// The run directory.
    public let path: String

    /// A run in the folder at `path`; nothing happens yet.
    public init(_ recipe: PretrainingRecipe, resolved: ResolvedRecipe, path: String) {
        (self.recipe, self.resolved, self.path) = (recipe, resolved, path)
    }

    /// Prepares the images, then trains to the end.
    ///
    /// - Parameters:
    ///   - ranks: who else trains; all call this at once, and see one file system.
    ///   - resumes: whether the run was begun before and goes on from its checkpoint.
    ///   - interruption: when requested, the step at hand is finished and saved.
    ///   - progress: is told of every step.
    ///   - notify: is told what happens to the images; on any thread.
    /// - Throws: ``PretrainingDataError``, `TrainingError`, `TrainingInterrupted`, and the errors of reading and writing.
    public func train(
        resumes: Bool, on cpu: CPU, ranks: any Communicator = OneProcess(),
        interruption: Interruption = Interruption(), progress: inout Progress,
        notify: @escaping @Sendable (PretrainingNotice) -> Void = { _ in }
    ) throws {
        // What is wrong with the list of images comes to light before the folder is touched.
        let needsLabels = type(of: recipe.method).needsLabels
        let datasets = needsLabels ? try LabeledDomain.list(recipe.data) : []
        let images =
            needsLabels
            ? nil : try ImageCollection(sources: recipe.data.sources, excluding: recipe.data.excluded)
        let (isFirst, tell) = (ranks.isFirst, notify)
        let report = LeftOutReport { if isFirst { tell($0) } }
        let (run, data) = try ranks.firstThenOthers {
            try begin(images, datasets, resumes: resumes, isFirst: ranks.isFirst, on: cpu, interruption, report)
        }
        let task = try recipe.method.task(recipe.setup, data: data, on: cpu)
        try train(task, in: run, ranks, interruption, &progress)
    }

    /// Begins or resumes the run on the first rank, and finds what that one has prepared on the others.
    private func begin(
        _ images: ImageCollection?, _ datasets: [NNUNetDataset], resumes: Bool, isFirst: Bool, on cpu: CPU,
        _ interruption: Interruption, _ report: LeftOutReport
    ) throws -> (RunDirectory, PretrainingData) {
        let run: RunDirectory
        if isFirst {
            run = try resumes ? .resume(path, recipe: resolved) : .create(path, recipe: resolved)
        } else {
            run = .follow(path, recipe: resolved)
        }
        let store = recipe.data.store ?? "\(path)/store"
        let data: PretrainingData
        let pause = { @Sendable [path] in
            if interruption.isRequested {
                throw PreprocessingInterrupted(remedy: "continue with --resume --out \(path)")
            }
        }
        if let images {
            data = try PretrainingData(
                preparing: images, as: recipe.data, spacingMM: recipe.setup.spacingMM, at: store, on: cpu,
                pause: pause, notify: report.note)
        } else {
            data = try PretrainingData(
                preparing: datasets, as: recipe.data, at: store, on: cpu, pause: pause, notify: report.note)
        }
        if isFirst { try report.write(toRun: path) }
        try PretrainingImages(data).record(inRun: path)
        return (run, data)
    }

    private func train(
        _ task: some TrainingTask, in run: RunDirectory, _ ranks: any Communicator, _ interruption: Interruption,
        _ progress: inout Progress
    ) throws {
        var loop = try TrainingLoop(task, recipe: recipe.training, in: run, ranks: ranks)
        try loop.train(interruption: interruption, progress: &progress)
    }
}
