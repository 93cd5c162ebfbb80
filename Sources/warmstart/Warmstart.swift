import ArgumentParser
import Experiments
import Foundation
import Tensors
import Training

/// The tool: a list of commands. Each is a thin shell over a library call, in a file of its own.
struct Warmstart: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "warmstart",
        abstract: "Pre-train and fine-tune 3D medical segmentation networks, and compare their initializations.",
        discussion: """
            Which initialization should a network start from when labels are few, and how much does it buy? Warmstart \
            answers on the machine where the data are.

            Try it without any data:
              warmstart phantom --kind hippocampus --cases 20 --out phantoms
              warmstart inspect phantoms
            """,
        version: Software.version,
        groupedSubcommands: [
            CommandGroup(name: "Start", subcommands: [DemoCommand.self]),
            CommandGroup(name: "Data", subcommands: [PhantomCommand.self, PlanCommand.self, PreprocessCommand.self]),
            CommandGroup(
                name: "Training", subcommands: [PretrainCommand.self, FinetuneCommand.self, SelectCommand.self]),
            CommandGroup(
                name: "Results",
                subcommands: [
                    PredictCommand.self, EnsembleCommand.self, EvaluateCommand.self, CompareCommand.self,
                    ReportCommand.self,
                    RankCommand.self,
                ]),
            CommandGroup(name: "Files", subcommands: [InspectCommand.self, WeightsCommand.self]),
            CommandGroup(name: "Speed", subcommands: [BenchmarkCommand.self]),
        ])
}

@main
enum Main {
    /// Runs the command and ends the process with the exit status of ``ExitStatus``.
    static func main() {
        ProcessFaults.prepare()
        do {
            var command = try Warmstart.parseAsRoot()
            try command.run()
        } catch let error as any UserFacingError {
            fail(error.description, status: error.exitCode)
        } catch let error as CocoaError {
            fail(error.localizedDescription, status: ExitStatus.inputOutput)
        } catch {
            // Help, version, and mistakes on the command line, which the parser explains best.
            Warmstart.exit(withError: error)
        }
    }

    private static func fail(_ message: String, status: Int32) -> Never {
        StandardError.write("warmstart: \(message)\n")
        exit(status)
    }
}
