import ArgumentParser
import Experiments
import Foundation
import Tensors

/// A training step or prediction, the operations one by one, the evaluation of a case, or what tricks cost.
enum BenchmarkCase: ExpressibleByArgument, CaseIterable {
    case step(StepBenchmark.Case)
    case ops
    case metrics
    case scaling
    case tricks

    static let allCases = StepBenchmark.Case.allCases.map(Self.step) + [.ops, .metrics, .scaling, .tricks]

    var defaultValueDescription: String {
        switch self {
        case .step(let step): step.rawValue
        case .ops: "ops"
        case .metrics: "metrics"
        case .scaling: "scaling"
        case .tricks: "tricks"
        }
    }

    init?(argument: String) {
        guard let found = Self.allCases.first(where: { $0.defaultValueDescription == argument }) else { return nil }
        self = found
    }

    static var allValueStrings: [String] { allCases.map(\.defaultValueDescription) }
}

struct BenchmarkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "benchmark",
        abstract: "Time a training step, a prediction, single operations or an evaluation on this machine.",
        discussion: """
            Random input, no data needed. finetune: ResEnc U-Net of four stages, batch 2, 40x56x40 voxels. s3d, mae, \
            encoder, predict: ResEnc-L, or its encoder alone, on cubic patches. ops: the convolutions of ResEnc-L one by one, dense and with 50, 25 and \
            10 % of the blocks visible, as a share of what the multipliers reach on registers. metrics: every metric of \
            two label maps of 300x512x512 voxels with five labels. scaling: a step on 1, 2, 4, ... ranks that share this \
            machine's cores, then what a model predicts for ResEnc-L at 160x160x160 voxels on 1 to 64 machines like this \
            one, with all that it assumes. tricks: what a training step of each variant of some comparisons takes beside the \
            first one's, loader and augmentation included: seconds, how many of them the step waits for its batch, and the \
            most memory of the process; on made-up hippocampi, about two minutes a table on two cores. Prints one JSON object a \
            line, of tricks a table. Times mean something on an idle machine only.

            Examples:
              warmstart benchmark finetune --runs 5
              warmstart benchmark tricks --recipes Finetune/compare-losses-cpu.yaml
            """)

    @Argument(help: "What to time.")
    var benchmark: BenchmarkCase

    @Option(
        help: "The edge of the cubic patch in voxels, a multiple of 32 (not for finetune; default: 96, tricks: 32).")
    var patch: Int?

    @Option(help: "Patches per step (s3d, mae, encoder and predict only; default: 1).")
    var batch: Int?

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            """
            Comparisons whose variants are timed (tricks only; default: the tables of losses, tricks, adapters and memory \
            in Finetune).
            """,
            valueName: "recipe"))
    var recipes: [ExistingPath] = []

    @Option(help: "Time this variant only, without ratios (tricks only).")
    var variant: String?

    @Flag(help: "Print one JSON object a line also of tricks.")
    var json = false

    @Option(help: "The share of visible blocks (s3d and encoder only).")
    var visible = 0.25

    @Option(
        help: """
            The folder of prediction.nii.gz and reference.nii.gz (metrics only); without these files, they are made up \
            and written.
            """)
    var masks: String?

    @Option(help: "How often to time, after some that do not count (default: 3, tricks: 5).")
    var runs: Int?

    @Option(help: "Microseconds before a message's first byte arrives (scaling only).")
    var latency = 50.0

    @Option(help: "Gigabits per second between machines, each way (scaling only).")
    var bandwidth = 10.0

    @Flag(help: "Train with memory.recompute=true: keep less, compute it again (training steps only).")
    var recompute = false

    @OptionGroup var compute: ComputeOptions

    func validate() throws {
        if let patch, patch <= 0 || patch % 32 != 0 {
            throw ValidationError("--patch must be a multiple of 32, got \(patch).")
        }
        if let batch {
            guard batch > 0 else { throw ValidationError("--batch must be at least 1, got \(batch).") }
            guard case .step(let step) = benchmark, step != .finetune else {
                throw ValidationError("--batch is for s3d, mae, encoder and predict; the work of others is fixed.")
            }
        }
        guard visible > 0, visible <= 1 else { throw ValidationError("--visible must be above 0 and at most 1.") }
        if case .metrics = benchmark, masks == nil { throw ValidationError("metrics needs --masks FOLDER.") }
        guard latency >= 0, bandwidth > 0 else {
            throw ValidationError("--latency must not be negative, --bandwidth must be above 0.")
        }
        if let runs, runs < 1 { throw ValidationError("--runs must be at least 1, got \(runs).") }
    }

    func run() throws {
        switch benchmark {
        case .step(let step):
            var benchmark = StepBenchmark(step)
            (benchmark.patchEdge, benchmark.visibleShare, benchmark.runs) = (edge, visible, times)
            (benchmark.samples, benchmark.recomputes) = (batch ?? 1, recompute)
            try printLine(benchmark.run(on: compute.cpu))
        case .ops:
            var benchmark = OpsBenchmark()
            (benchmark.patchEdge, benchmark.runs) = (edge, times)
            try benchmark.run(on: compute.cpu) { try printLine($0) }
        case .scaling: try scaling()
        case .tricks:
            var tricks = TrickTimer(recipes: recipes, variant: variant, edge: patch ?? 32, compute: compute)
            (tricks.steps, tricks.printsJSON) = (runs ?? 5, json)
            try tricks.run(report: printLine)
        case .metrics:
            var benchmark = MetricsBenchmark(masks: masks ?? "")
            benchmark.runs = times
            try printLine(benchmark.run(on: compute.cpu))
        }
    }

    private var edge: Int { patch ?? 96 }
    private var times: Int { runs ?? 3 }

    private func scaling() throws {
        var benchmark = ScalingBenchmark()
        (benchmark.patchEdge, benchmark.runs) = (edge, times)
        let cpu = compute.cpu
        try benchmark.measure(on: cpu) { try printLine($0) }
        var (model, buckets) = try benchmark.model(on: cpu)
        (model.latencySeconds, model.bytesPerSecond) = (latency * 1e-6, bandwidth * 1e9 / 8)
        try printLine(
            ScalingAssumptions(
                model: model, parameters: buckets.reduce(0) { $0 + $1.parameters }, messages: buckets.count,
                threads: cpu.threads, precision: cpu.precision.rawValue, timedEdge: edge))
        for ranks in [1, 2, 4, 8, 16, 32, 64] { try printLine(model.prediction(buckets, ranks: ranks)) }
    }

    private func printLine(_ result: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        print(String(decoding: try encoder.encode(result), as: UTF8.self))
    }
}

/// What the prediction rests on, printed before it.
private struct ScalingAssumptions: Encodable {
    var `case` = "assumed"
    var model: ScalingModel
    var parameters: Int
    var messages: Int
    var threads: Int
    var precision: String
    var timedEdge: Int
    var formula =
        "message of S bytes among n = 2(n-1)(latency + S/n/bandwidth) + S(n-1)/n/summing; a message leaves when the backward "
        + "pass has done its layers; step = max(computing, last message) + update; one sample per machine; computing grows "
        + "with the voxels from the patch that was timed; machines are equally fast and the network is theirs alone"

    enum CodingKeys: String, CodingKey {
        case `case`, model, parameters, messages, threads, precision, formula
        case timedEdge = "timed_patch"
    }
}
