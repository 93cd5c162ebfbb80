import ArgumentParser
import Experiments
import Foundation
import Tensors

extension StepBenchmark.Case: ExpressibleByArgument {}

struct BenchmarkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "benchmark",
        abstract: "Time a training step or a prediction on this machine.",
        discussion: """
            Random input, no data needed. finetune: ResEnc U-Net of four stages, batch 2, 40x56x40 voxels. s3d, mae, \
            predict: ResEnc-L on one cubic patch. Prints one JSON object. Times mean something on an idle machine only.

            Example:
              warmstart benchmark finetune --runs 5
            """)

    @Argument(help: "What to time.")
    var benchmark: StepBenchmark.Case

    @Option(help: "The edge of the cubic patch in voxels, a multiple of 32 (not for finetune).")
    var patch = 96

    @Option(help: "The share of visible blocks (s3d only).")
    var visible = 0.25

    @Option(help: "How often to time, after one run that does not count.")
    var runs = 3

    @OptionGroup var compute: ComputeOptions

    func validate() throws {
        guard patch > 0, patch % 32 == 0 else {
            throw ValidationError("--patch must be a multiple of 32, got \(patch).")
        }
        guard visible > 0, visible <= 1 else { throw ValidationError("--visible must be above 0 and at most 1.") }
        guard runs >= 1 else { throw ValidationError("--runs must be at least 1, got \(runs).") }
    }

    func run() throws {
        var benchmark = StepBenchmark(benchmark)
        (benchmark.patchEdge, benchmark.visibleShare, benchmark.runs) = (patch, visible, runs)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        print(String(decoding: try encoder.encode(benchmark.run(on: compute.cpu)), as: UTF8.self))
    }
}
