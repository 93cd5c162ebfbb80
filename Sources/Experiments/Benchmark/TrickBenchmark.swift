import Finetuning
import Foundation
import Networks
import Segmentation
import Tensors
import Training
import Volumes
import WeightFiles

/// What a variant of a comparison costs: the time and the memory of a training step.
///
/// It is trained for a few steps as `finetune` trains, on made-up hippocampi, with loader and augmentation: what
/// is timed is how long a user waits from one step to the next.
public struct TrickBenchmark: Sendable {
    /// A line of the result.
    public struct Measurement: Codable, Sendable {
        /// The variant's name.
        public var name: String
        /// Median seconds from one step to the next.
        public var seconds: Double?
        /// The fastest and the slowest of these steps.
        public var range: [Double]?
        /// How much of the median step it waited for its batch.
        public var waiting: Double?
        /// The most memory that the process held, in GB.
        public var peakGB: Double?
        /// Seconds as a multiple of the baseline's.
        public var timeRatio: Double?
        /// Memory as a multiple of the baseline's.
        public var memoryRatio: Double?
        /// Why the variant was not timed.
        public var problem: String?

        enum CodingKeys: String, CodingKey {
            case name, seconds, range, waiting, problem
            case peakGB = "peak_gb"
            case timeRatio = "time_ratio"
            case memoryRatio = "memory_ratio"
        }

        /// The measurement with its ratios to another one.
        public func compared(with baseline: Measurement) -> Measurement {
            func ratio(_ value: Double?, _ other: Double?) -> Double? {
                value.flatMap { value in other.map { value / $0 } }
            }
            var compared = self
            compared.timeRatio = ratio(seconds, baseline.seconds)
            compared.memoryRatio = ratio(peakGB, baseline.peakGB)
            return compared
        }
    }

    /// The last steps, for which a loader that is two batches ahead has nothing left to do.
    private static let lastSteps = 2
    /// Steps that are timed: after two in which threads and memory settle, and before the last ones.
    public var steps = 5
    private let folder: String
    private let cpu: CPU

    /// A benchmark that works in an empty folder, which whoever made it removes.
    public init(in folder: String, on cpu: CPU) { (self.folder, self.cpu) = (folder, cpu) }

    /// Times a variant.
    ///
    /// The memory is that of the whole process: another variant wants a process of its own.
    /// - Throws: errors of files. What speaks against the variant is part of its measurement.
    public func measure(_ variant: ComparisonRecipe.Variant) throws -> Measurement {
        do {
            return try measurement(of: variant)
        } catch let error as any UserFacingError where !(error is FileError) {
            var failed = Measurement(name: variant.name)
            failed.problem = error.description.split(separator: "\n").first.map(String.init)
            return failed
        }
    }

    /// Four cases to train on, and two that are images without labels to those who want some.
    private func dataset(on cpu: CPU) throws -> NNUNetDataset {
        let path = "\(folder)/phantoms"
        try Phantom(.hippocampus).writeDataset(to: path, name: "phantoms", cases: 6, seed: 0, on: cpu)
        return try NNUNetDataset(path: path)
    }

    private func measurement(of variant: ComparisonRecipe.Variant) throws -> Measurement {
        let dataset = try dataset(on: cpu)
        let recipe = try RecipeDocument.parse(
            variant.finetuning, path: variant.name,
            overrides: [
                "steps=\(2 + steps + Self.lastSteps)", "run.log_interval=1", "run.checkpoint_steps=none",
                "run.checkpoint_minutes=none", "run.validation_interval=none",
            ]
        ).resolve(FinetuneRecipe.init(reading:))
        let clock = StepClock()
        var progress = clock.progress
        try FinetuneRun(
            dataset: dataset, trainingCases: dataset.trainingCases.prefix(4).map(\.name),
            weights: variant.start == nil ? nil : try randomWeights(for: recipe.0, of: dataset),
            recipe: recipe, folder: "\(folder)/run", on: cpu
        ).train(progress: &progress)
        let computing = try RunLog.read("\(folder)/run/log.jsonl").compactMap(\.seconds)
        let timed = 2..<2 + steps
        let seconds = timed.map { clock.times[$0] - clock.times[$0 - 1] }
        let waiting = timed.map { clock.times[$0] - clock.times[$0 - 1] - computing[$0] }
        return Measurement(
            name: variant.name, seconds: Self.median(seconds), range: [seconds.min() ?? 0, seconds.max() ?? 0],
            waiting: max(0, Self.median(waiting)), peakGB: clock.peakGB)
    }

    /// Weights in place of pre-trained ones: those of a step cost the same.
    private func randomWeights(for recipe: FinetuneRecipe, of dataset: NNUNetDataset) throws -> String {
        let plan = try recipe.plan.plan(for: dataset, on: cpu)
        let network = try UNet(NetworkPlan(plan), on: cpu)
        Initializer.pytorchDefault.initialize(network, seed: 1)
        let card = TransferCard(
            architecture: network.plan, method: "none", patch: plan.patch, spacingMM: [1, 1, 1],
            normalization: ["z_score"])
        let path = "\(folder)/random.safetensors"
        try SafetensorsFile.write(network.storedTensors(everyAlias: true), metadata: card.metadata, to: path)
        return path
    }

    private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
}

/// Notes when each step of a training ends, and the most memory until then.
private final class StepClock {
    private(set) var times: [Double] = []
    private(set) var peakGB = 0.0

    /// Progress that shows nothing: a training asks for the time once after each step.
    var progress: Training.Progress {
        Training.Progress(
            "", total: 0, unit: "step", isTerminal: true, write: { _ in },
            now: { [self] in
                let time = ProcessInfo.processInfo.systemUptime
                times.append(time)
                peakGB = peakResidentGB()
                return time
            })
    }
}
