import ArgumentParser
import Ranks
import Tensors

/// How many cores a command uses.
struct ComputeOptions: ParsableArguments {
    @Option(help: "Threads that share the work (default: all cores). Results do not depend on it.")
    var threads: Int?

    @Option(help: "What convolutions multiply: float32, bfloat16, or auto for bfloat16 where the processor has it.")
    var precision = PrecisionChoice.auto

    func validate() throws {
        if let threads, threads < 1 { throw ValidationError("--threads must be at least 1, got \(threads).") }
    }

    /// The cores.
    var cpu: CPU { CPU(threads: threads, precision: precision.precision) }

    /// The cores of one of several ranks: by default its share of the machine's.
    func cpu(of ranks: any Communicator) -> CPU {
        ranks.count == 1 ? cpu : CPU(threads: threads ?? ranks.fairShareOfCores(), precision: precision.precision)
    }
}

/// What `--precision` takes.
enum PrecisionChoice: String, ExpressibleByArgument, CaseIterable {
    case auto, float32, bfloat16

    var precision: Precision {
        switch self {
        case .auto: .automatic
        case .float32: .float32
        case .bfloat16: .bfloat16
        }
    }
}

/// Where random numbers come from.
struct SeedOptions: ParsableArguments {
    @Option(help: "Same seed, same result.")
    var seed: UInt64 = 0
}

/// How results are printed.
struct PrintOptions: ParsableArguments {
    @Flag(help: "Print the result as JSON.")
    var json = false
}

/// How a recipe is run in a folder.
struct RunOptions: ParsableArguments {
    @Option(help: "The folder for everything that comes out; it must be empty or new unless --resume is given.")
    var out: String

    @Flag(help: "Go on with what the folder holds.")
    var resume = false

    @Option(help: "Decides all that is drawn: the same as --set seed=SEED.")
    var seed: UInt64?

    @Option(
        name: .customLong("set"), parsing: .singleValue,
        help: ArgumentHelp(
            "Change a value of the recipe, for example plan.batch=4.", valueName: "key=value"))
    var settings: [String] = []

    /// Changes of the recipe, `key=value`.
    var overrides: [String] { settings + (seed.map { ["seed=\($0)"] } ?? []) }
}
