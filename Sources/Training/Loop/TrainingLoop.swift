import Foundation
import Networks
import Tensors
import WeightFiles

/// The one training loop: it serves pre-training and segmentation alike.
///
/// It owns optimizer, schedule, clipping, log, validation, checkpoints and the run's page. Killing the process at any
/// instant loses at most the steps since the last checkpoint, and the resumed run ends in the same bits.
public struct TrainingLoop<Task: TrainingTask> {
    private let task: Task
    private let recipe: TrainingRecipe
    private let run: RunDirectory
    private let parameters: [(name: String, parameter: Parameter)]
    /// Parameters that the task itself has frozen: no stage sets them free.
    private let frozen: Set<String>
    private var optimizer: Optimizer
    private var log: RunLog
    private var step: Int
    private var seconds: Double
    private var lastCheckpoint = ContinuousClock.now
    /// The step of the checkpoint on disk.
    private var savedStep: Int?

    /// A loop that begins at the run's last checkpoint, or at step 0 if there is none.
    /// - Throws: `FileError`, `SafetensorsError` or ``TrainingError`` if the run's files are damaged.
    public init(_ task: Task, recipe: TrainingRecipe, in run: RunDirectory) throws {
        (self.task, self.recipe, self.run) = (task, recipe, run)
        parameters = task.network.namedParameters
        frozen = Set(parameters.filter { !$0.parameter.isTrainable }.map(\.name))
        try Self.checkStages(recipe.schedule, parameters.map(\.name))
        optimizer = Optimizer(recipe.rule)
        let checkpoint = try Checkpoint.restore(run.checkpointPath, task, &optimizer)
        (step, seconds, savedStep) = (checkpoint?.steps ?? 0, checkpoint?.seconds ?? 0, checkpoint?.steps)
        log = try RunLog(path: run.logPath, before: step)
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
        let batches = Prefetcher(task.batches, steps: min(step, steps)..<steps, depth: recipe.batchesAhead)
        defer { batches.stop() }
        lastCheckpoint = .now
        while step < steps {
            if interruption.isRequested { try stop() }
            let entry = try makeStep(try batches.next())
            if step % recipe.logInterval == 0 || step == steps - 1 { try log.append(entry) }
            step += 1
            if isDue(every: recipe.validationInterval) || step == steps { try validate() }
            progress.advance(to: step, note: Self.note(entry))
            if isCheckpointDue && step < steps { try save() }
        }
        progress.finish()
        try save()
        try SafetensorsFile.write(
            task.result.storedTensors(everyAlias: true), metadata: task.card.metadata, to: run.weightsPath)
    }

    private mutating func makeStep(_ batch: Task.Source.Batch) throws -> LogEntry {
        let start = ContinuousClock.now
        let stage = enterStage()
        let loss = try task.loss(batch, step: step)
        let value = Double(loss.total.item)
        guard value.isFinite else { throw notFinite("loss", value, loss.cases) }
        let gradients = loss.total.backward()
        let norm = gradients.norm(over: parameters.map(\.parameter))
        guard norm.isFinite else { throw notFinite("norm of the gradients", norm, loss.cases) }
        let scale = Gradients.clippingScale(norm: norm, limit: recipe.clipNorm)
        let rate = recipe.schedule.learningRate(at: step)
        optimizer.step(
            parameters, gradients: gradients, learningRate: rate, rates: stage.rates,
            gradientScale: scale)
        try task.didUpdate(step: step)
        let duration = (ContinuousClock.now - start) / .seconds(1)
        seconds += duration
        return LogEntry(
            step: step, loss: value, parts: loss.parts.isEmpty ? nil : loss.parts, learningRate: rate,
            gradientNorm: norm, clipping: scale < 1 ? Double(scale) : nil, seconds: duration, stage: stage.name)
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
        let numbers = try task.validate(step: step - 1)
        if !numbers.isEmpty { try log.append(LogEntry(step: step - 1, validation: numbers)) }
    }

    private func isDue(every interval: Int?) -> Bool { interval.map { step % $0 == 0 } ?? false }

    private var isCheckpointDue: Bool {
        let minutes = (ContinuousClock.now - lastCheckpoint) / .seconds(60)
        return isDue(every: recipe.checkpointSteps) || recipe.checkpointMinutes.map { minutes >= $0 } ?? false
    }

    private mutating func save() throws {
        // The loss of a step tells of the weights before it: those that are saved nobody has seen at work.
        if let (name, parameter) = parameters.first(where: { !$0.parameter.norm.isFinite }) {
            throw notFinite("norm of \(name)", parameter.norm, [])
        }
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

    private func notFinite(_ what: String, _ value: Double, _ cases: [String]) -> TrainingError {
        .notFinite(
            what: what, value: "\(value)", step: step, cases: cases,
            kept: savedStep.map { "\(run.checkpointPath) has the weights of step \($0)" })
    }

    private static func note(_ entry: LogEntry) -> String {
        String(format: "loss %.4f  lr %.2g", entry.loss ?? .nan, entry.learningRate ?? .nan)
    }
}
