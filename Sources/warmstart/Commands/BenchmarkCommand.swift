import ArgumentParser
import Experiments
import Foundation
import Tensors

/// A training step or prediction, the operations one by one, or the evaluation of a case.
enum BenchmarkCase: ExpressibleByArgument, CaseIterable {
    case step(StepBenchmark.Case)
    case ops
    case metrics

    static let allCases = StepBenchmark.Case.allCases.map(Self.step) + [.ops, .metrics]

    var defaultValueDescription: String {
        switch self {
        case .step(let step): step.rawValue
        case .ops: "ops"
        case .metrics: "metrics"
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
            predict: ResEnc-L on one cubic patch. ops: the convolutions of ResEnc-L one by one, dense and with 50, 25 and \
            10 % of the blocks visible, as a share of what the multipliers reach on registers. metrics: every metric of \
            two label maps of 300x512x512 voxels with five labels. Prints one JSON object a line. Times mean something \
            on an idle machine only.

            Example:
              warmstart benchmark finetune --runs 5
            """)

    @Argument(help: "What to time.")
    var benchmark: BenchmarkCase

    @Option(help: "The edge of the cubic patch in voxels, a multiple of 32 (not for finetune).")
    var patch = 96

    @Option(help: "The share of visible blocks (s3d only).")
    var visible = 0.25

    @Option(
        help: """
            The folder of prediction.nii.gz and reference.nii.gz (metrics only); without these files, they are made up \
            and written.
            """)
    var masks: String?

    @Option(help: "How often to time, after one run that does not count.")
    var runs = 3

    @Flag(help: "Compute blocks again in the backward pass instead of keeping them (training steps only).")
    var recompute = false

    @OptionGroup var compute: ComputeOptions

    func validate() throws {
        guard patch > 0, patch % 32 == 0 else {
            throw ValidationError("--patch must be a multiple of 32, got \(patch).")
        }
        guard visible > 0, visible <= 1 else { throw ValidationError("--visible must be above 0 and at most 1.") }
        if case .metrics = benchmark, masks == nil { throw ValidationError("metrics needs --masks FOLDER.") }
        guard runs >= 1 else { throw ValidationError("--runs must be at least 1, got \(runs).") }
    }

    func run() throws {
        switch benchmark {
        case .step(let step):
            var benchmark = StepBenchmark(step)
            (benchmark.patchEdge, benchmark.visibleShare, benchmark.runs) = (patch, visible, runs)
            benchmark.recomputes = recompute
            try printLine(benchmark.run(on: compute.cpu))
        case .ops:
            var benchmark = OpsBenchmark()
            (benchmark.patchEdge, benchmark.runs) = (patch, runs)
            try benchmark.run(on: compute.cpu) { try printLine($0) }
        case .metrics:
            var benchmark = MetricsBenchmark(masks: masks ?? "")
            benchmark.runs = runs
            try printLine(benchmark.run(on: compute.cpu))
        }
    }

    private func printLine(_ result: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        print(String(decoding: try encoder.encode(result), as: UTF8.self))
    }
}
