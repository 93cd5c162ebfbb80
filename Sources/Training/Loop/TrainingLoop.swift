import Foundation
import Networks
import Ranks
import Tensors
import WeightFiles

/// The one training loop: it serves pre-training and segmentation alike.
///
/// It owns optimizer, schedule, clipping, log, validation, checkpoints and the run's page. Killing the process at any
/// instant loses at most the steps since the last checkpoint, and the resumed run ends in the same bits. Several ranks train
/// together: each makes the same loop with its share of every batch, and the first one writes.
public struct TrainingLoop<Task: TrainingTask> {
    private let task: Task
    private let recipe: TrainingRecipe
    private let run: RunDirectory
    private let parameters: [(name: String, parameter: Parameter)]
    /// Parameters that the task itself has frozen: no stage sets them free.
    private let frozen: Set<String>
    private let ranks: any Communicator
    private let divided: DividedStep<Task>
    private var optimizer: Optimizer
    /// Nil on all ranks but the first.
    private var log: RunLog?
    private var step: Int
    private var seconds: Double
    private var lastCheckpoint = ContinuousClock.now
    /// The step of the checkpoint on disk.
    private var savedStep: Int?

    /// A loop that begins at the run's last checkpoint, or at step 0 if there is none.
    /// - Parameter ranks: who else trains; all call this at once.
    /// - Throws: `FileError`, `SafetensorsError` or ``TrainingError`` if the run's files are damaged; ``TrainingError`` if the
    ///   batch cannot be divided as recipe and ranks want; `RankError` if the ranks are not about to do the same.
    public init(
        _ task: Task, recipe: TrainingRecipe, in run: RunDirectory, ranks: any Communicator = OneProcess()
    ) throws {
        (self.task, self.recipe, self.run, self.ranks) = (task, recipe, run, ranks)
        parameters = task.network.namedParameters
        frozen = Set(parameters.filter { !$0.parameter.isTrainable }.map(\.name))
        try Self.checkStages(recipe.schedule, parameters.map(\.name))
        divided = try DividedStep(task, microBatch: recipe.microBatch, ranks: ranks)
        optimizer = Optimizer(recipe.rule)
        let checkpoint = try Checkpoint.restore(run.checkpointPath, task, &optimizer)
        (step, seconds, savedStep) = (checkpoint?.steps ?? 0, checkpoint?.seconds ?? 0, checkpoint?.steps)
        if ranks.count > 1 {
            try ranks.agree(on: [
                ("recipe", run.recipe.yaml), ("arithmetic", Checkpoint.arithmetic(of: task)), ("step", "\(step)"),
                ("state of the network", task.network.digest),
            ])
        }
        log = ranks.isFirst ? try RunLog(path: run.logPath, before: step) : nil
    }

    /// Refuses stages that name modules the network does not have, or that train nothing: a misspelled name would
    /// silently freeze everything, or nothing.
    private static func checkStages(_ schedule: Schedule, _ names: [String]) throws {
        for stage in schedule.stages where stage.steps > 0 {
            for module in stage.trains.modules + stage.rates.map(\.module)
            where !names.contains(where: TrainableParameters.only([module]).contains) {
                throw TrainingError.unknownModule(stage: stage.name, module: module)
            }
            guard names.contains(where: stage.trains.contains) else {
                throw TrainingError.nothingTrains(stage: stage.name)
            }
        }
    }

    /// Makes all steps that are left, then writes the weights and the page.
    /// - Parameters:
    ///   - interruption: when requested, the step at hand is finished and saved.
    ///   - progress: is told of every step.
    /// - Throws: ``TrainingInterrupted`` after an interruption; ``TrainingError`` when loss, gradients or weights are no
    ///   longer numbers; what the task throws.
    public mutating func train(interruption: Interruption = Interruption(), progress: inout Progress) throws {
        let steps = recipe.schedule.steps
        let (source, parts) = (task.batches, divided.division.parts)
        let batches = Prefetcher(steps: min(step, steps)..<steps, depth: recipe.batchesAhead) { step in
            try parts.map { try source.batch(step: step, samples: $0) }
        }
        defer { batches.stop() }
        lastCheckpoint = .now
        while step < steps {
            // Ranks stop together, after a step in which they told each other.
            if ranks.count == 1 && interruption.isRequested { try stop() }
            let (entry, isInterrupted) = try makeStep(try batches.next(), interruption)
            if step % recipe.logInterval == 0 || step == steps - 1 { try log?.append(entry) }
            step += 1
            if isDue(every: recipe.validationInterval) || step == steps { try validate() }
            if ranks.isFirst { progress.advance(to: step, note: Self.note(entry)) }
            if isInterrupted && step < steps { try stop() }
            if isCheckpointDue && step < steps { try save() }
        }
        if ranks.isFirst { progress.finish() }
        try save()
        guard ranks.isFirst else { return }
        try SafetensorsFile.write(
            task.result.storedTensors(everyAlias: true), metadata: task.card.metadata, to: run.weightsPath)
    }

    private mutating func makeStep(
        _ batches: [Task.Source.Batch], _ interruption: Interruption
    ) throws -> (LogEntry, isInterrupted: Bool) {
        let start = ContinuousClock.now
        let stage = enterStage()
        let outcome = try computed(
            batches, isInterrupted: ranks.count > 1 && interruption.isRequested)
        let norm = outcome.gradients.norm(over: parameters.map(\.parameter))
        guard norm.isFinite else { throw notFinite("norm of the gradients", "\(norm)", outcome.cases) }
        let scale = Gradients.clippingScale(norm: norm, limit: recipe.clipNorm)
        let rate =
            recipe.schedule.learningRate(at: step) * recipe.rateScaling.factor(batch: divided.division.samples)
        optimizer.step(
            parameters, gradients: outcome.gradients, learningRate: rate, rates: stage.rates,
            gradientScale: scale)
        try task.didUpdate(step: step)
        let duration = (ContinuousClock.now - start) / .seconds(1)
        seconds += duration
        let entry = LogEntry(
            step: step, loss: outcome.loss, parts: outcome.parts.isEmpty ? nil : outcome.parts, learningRate: rate,
            gradientNorm: norm, clipping: scale < 1 ? Double(scale) : nil, seconds: duration, stage: stage.name)
        return (entry, outcome.isInterrupted)
    }

    /// Freezes and frees parameters as the step's stage says.
    private mutating func enterStage() -> Schedule.Stage {
        guard let (stage, start) = recipe.schedule.stage(at: step) else { fatalError("no stage at step \(step)") }
        for (name, parameter) in parameters {
            parameter.isTrainable = !frozen.contains(name) && stage.trains.contains(name)
        }
        if stage.renewsOptimizer && step == start { optimizer = Optimizer(recipe.rule) }
        return stage
    }

    private mutating func validate() throws {
        guard ranks.isFirst else { return }
        let numbers = try task.validate(step: step - 1)
        if !numbers.isEmpty { try log?.append(LogEntry(step: step - 1, validation: numbers)) }
    }

    private func isDue(every interval: Int?) -> Bool { interval.map { step % $0 == 0 } ?? false }

    private var isCheckpointDue: Bool {
        let minutes = (ContinuousClock.now - lastCheckpoint) / .seconds(60)
        return isDue(every: recipe.checkpointSteps) || recipe.checkpointMinutes.map { minutes >= $0 } ?? false
    }

    private mutating func save() throws {
        // The loss of a step tells of the weights before it: those that are saved nobody has seen at work.
        if let (name, parameter) = parameters.first(where: { !$0.parameter.norm.isFinite }) {
            throw notFinite("norm of \(name)", "\(parameter.norm)", [])
        }
        lastCheckpoint = .now
        guard let log else { return }
        try log.synchronize()
        try Checkpoint(steps: step, seconds: seconds, arithmetic: Checkpoint.arithmetic(of: task))
            .save(run.checkpointPath, task, optimizer)
        let page = RunPage(
            title: task.card.method, recipe: run.recipe, log: log.entries, steps: recipe.schedule.steps,
            seconds: seconds, previews: try task.previews(step: step - 1))
        try AtomicFile.write(page.html, to: run.pagePath)
        (lastCheckpoint, savedStep) = (.now, step)
    }

    private mutating func stop() throws -> Never {
        try save()
        throw TrainingInterrupted(steps: step, path: run.path)
    }

    /// Loss and gradients of this step; an error tells which weights are kept.
    private func computed(
        _ batches: [Task.Source.Batch], isInterrupted: Bool
    ) throws -> DividedStep<Task>.Outcome {
        do {
            return try divided.compute(
                batches, step: step, parameters: parameters.map(\.parameter).filter(\.isTrainable),
                isInterrupted: isInterrupted)
        } catch TrainingError.notFinite(let what, let value, _, let cases, _) {
            throw notFinite(what, value, cases)
        }
    }

    private func notFinite(_ what: String, _ value: String, _ cases: [String]) -> TrainingError {
        .notFinite(
            what: what, value: value, step: step, cases: cases,
            kept: savedStep.map { "\(run.checkpointPath) has the weights of step \($0)" })
    }

    private static func note(_ entry: LogEntry) -> String {
        String(format: "loss %.4f  lr %.2g", entry.loss ?? .nan, entry.learningRate ?? .nan)
    }
}
