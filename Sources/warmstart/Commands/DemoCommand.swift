import ArgumentParser
import Experiments
import Foundation
import Tensors
import Training
import WeightFiles

struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "See the whole chain on made-up volumes, in minutes.",
        discussion: """
            Makes up a dataset, pre-trains a small network on the volumes without labels, fine-tunes it on 4 labeled \
            cases, from scratch, from these weights and from the two that come with the suite, and compares.

            Example:
              warmstart demo --out demo
            """)

    @Option(help: "The folder for everything; it must be empty or new.")
    var out = "demo"

    @OptionGroup var seed: SeedOptions
    @OptionGroup var compute: ComputeOptions

    func validate() throws {
        guard seed.seed != Demo.seedOfPublished else {
            throw ValidationError(
                "--seed \(seed.seed): the weights of the suite have seen these volumes; choose another.")
        }
    }

    func run() throws {
        if try WeightsFolder.find() == nil {
            StandardError.write("the folder Weights of the suite is not here: the demo goes without its weights\n")
        }
        if let content = try? FileManager.default.contentsOfDirectory(atPath: out), !content.isEmpty {
            throw FileError("create", out, reason: "it is not empty; choose another folder")
        }
        var demo = Demo(folder: out)
        demo.seed = seed.seed
        let results = try Interruption.bySignals { interruption in
            do {
                return try demo.run(
                    on: compute.cpu, interruption: interruption,
                    begin: { StandardError.write("\($0.rawValue)\n") },
                    progress: { Training.Progress($0, total: $1) }, report: { ComparisonLines.show($0) })
            } catch is TrainingInterrupted {
                throw DemoInterrupted()
            } catch is PreprocessingInterrupted {
                throw DemoInterrupted()
            }
        }
        print("\(results.text)\n\(demo.page)")
    }
}

/// The demo was interrupted. It is short: it starts anew rather than going on.
private struct DemoInterrupted: UserFacingError {
    var exitCode: Int32 { ExitStatus.interrupted }
    var description: String { "interrupted; start the demo again in another folder." }
}
