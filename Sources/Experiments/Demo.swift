import Foundation
import Pretraining
import Tensors
import Training
import Volumes
import WeightFiles

/// The whole chain on made-up volumes, in minutes: phantoms, pre-training, fine-tuning from scratch, from the weights and from
/// those that come with the suite, comparison.
public struct Demo: Sendable {
    /// The parts of the demo, in order.
    public enum Part: String, Sendable {
        /// Making up a dataset.
        case phantoms
        /// Spark3D on the volumes without labels.
        case pretraining = "pre-training"
        /// Fine-tuning and testing, many times.
        case comparison
    }

    /// Where everything is written.
    public var folder: String
    /// Decides the phantoms and all that is drawn.
    public var seed: UInt64 = 0

    /// The weights of the suite that take part, and what they are called in the comparison. They are for the demo's network.
    public static let published = [
        (name: "shipped S3D", weights: "s3d-phantoms"), (name: "shipped Genesis", weights: "genesis-phantoms"),
    ]
    /// The seed of the volumes that those weights have seen: no demo may test on them.
    public static let seedOfPublished: UInt64 = 20_261_125

    /// A demo in an empty or new folder.
    public init(folder: String) { self.folder = folder }

    /// Runs all parts.
    /// - Parameters:
    ///   - interruption: asks to stop.
    ///   - begin: told of each part.
    ///   - progress: makes the progress of a training.
    ///   - report: told of every cell of the comparison.
    /// - Returns: the comparison's results.
    /// - Throws: errors of files; `TrainingInterrupted`.
    public func run(
        on cpu: CPU, interruption: Interruption, begin: (Part) -> Void,
        progress: @escaping @Sendable (_ title: String, _ steps: Int) -> Training.Progress,
        report: (ComparisonRun.Event) -> Void
    ) throws -> ComparisonResults {
        begin(.phantoms)
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw FileError("create", folder, error)
        }
        let data = "\(folder)/phantoms"
        try Phantom(.hippocampus).writeDataset(
            to: data, name: "phantoms", cases: 20, unlabeled: 32, seed: seed, on: cpu)

        begin(.pretraining)
        let pretrained = "\(folder)/pretrained"
        let (recipe, resolved) = try RecipeDocument.parse(
            Self.pretraining, path: "the demo's pre-training recipe",
            overrides: [
                "data.sources=['\(data.replacing("'", with: "''"))/imagesTs']", "seed=\(seed)",
            ]
        ).resolve(PretrainingRecipe.init(reading:))
        var steps = progress("pre-training", recipe.training.schedule.steps)
        try PretrainingRun(recipe, resolved: resolved, path: pretrained)
            .train(resumes: false, on: cpu, interruption: interruption, progress: &steps)

        begin(.comparison)
        let dataset = try NNUNetDataset(path: data)
        let weights = "\(pretrained)/weights.safetensors"
        let comparison = try Comparison(
            dataset,
            initializations: [
                .scratch, Initialization(name: "S3D", weights: weights, digest: ContentDigest.ofFile(weights)),
            ] + shipped(),
            recipe: ComparisonRecipe(RecipeDocument.parse(Self.finetuning, path: "the demo's fine-tuning recipe")),
            on: cpu)
        let runner = FinetuningRunner(
            dataset, interruption: interruption, progress: { progress("\($0.key)", $1) }, on: cpu)
        return try ComparisonRun(comparison, folder: "\(folder)/comparison")
            .run(with: runner, resume: false, report: report)
    }

    /// Those of the suite's weights that are there.
    private func shipped() throws -> [Initialization] {
        guard let folder = try WeightsFolder.find() else { return [] }
        return try Self.published.compactMap { name, weights in
            try folder.file(named: weights).map {
                Initialization(name: name, weights: $0, digest: try ContentDigest.ofFile($0))
            }
        }
    }

    /// The page with the results.
    public var page: String { "\(folder)/comparison/index.html" }

    // A hundred steps are too few for a momentum of 0.99, which averages over as many: both recipes use AdamW.

    private static let pretraining = """
        method: s3d
        data: {min_field_of_view_mm: 10, min_file_kilobytes: 0, validation_subjects: 2}
        plan: {patch: [32, 48, 32], batch: 2, preset: resenc-xs}
        masking: {block: 8, ratio: [0.6, 0.9]}
        optimizer: {kind: adamw}
        schedule:
          steps_per_update: 1
          stages: [{name: main, steps: 200, shape: poly, exponent: 0.9, peak: 0.002}]
        validation: {batches: 2}
        run: {validation_interval: 100}
        """

    private static let finetuning = """
        plan: {patch: [32, 48, 32], batch: 2, preset: resenc-xs}
        steps: 100
        optimizer: {kind: adamw}
        schedule:
          steps_per_update: 1
          stages:
            - {name: decoder warm-up, steps: 10, shape: warm_up, peak: 0.002, trains: [decoder], renew_optimizer: true}
            - {name: warm-up, steps: 10, shape: warm_up, peak: 0.002, renew_optimizer: true}
            - {name: main, steps: 80, shape: poly, exponent: 0.9, peak: 0.002}
        scratch:
          steps_per_update: 1
          stages: [{name: main, steps: 100, shape: poly, exponent: 0.9, peak: 0.002}]
        loss: {batch_dice: true}
        patches: {augmentation: light}
        prediction: {mirroring: false, validation_cases: 0}
        comparison: {sizes: [4], seeds: [0, 1], split: every-fifth-held-out}
        """
}
