import Tensors

/// Why a training cannot begin or go on.
public enum TrainingError: UserFacingError, Equatable {
    /// The loss, the norm of the gradients or a weight is no longer a number.
    case notFinite(what: String, value: String, step: Int, cases: [String], kept: String?)
    /// The run directory holds something already.
    case runExists(path: String)
    /// The run directory belongs to another recipe.
    case otherRecipe(path: String, key: String, there: String?, here: String?)
    /// The checkpoint was computed in another precision or with other vector instructions.
    case otherArithmetic(path: String, there: String, here: String)
    /// A stage trains, freezes or gives a rate to a module that the network does not have.
    case unknownModule(stage: String, module: String)
    /// A stage freezes the whole network.
    case nothingTrains(stage: String)
    /// There is nothing to resume.
    case noRun(path: String)
    /// The batch cannot be divided into micro-batches or among ranks.
    case undividable(reason: String, microBatch: Int?, ranks: Int)
    /// The batch has fewer micro-batches than there are ranks, or does not consist of whole ones.
    case unevenBatch(samples: Int, microBatch: Int?, ranks: Int)
    /// A file of the run cannot be understood.
    case damagedRun(file: String, problem: String)

    /// Wrong usage: 64; wrong data: 65.
    public var exitCode: Int32 {
        switch self {
        case .notFinite, .damagedRun: ExitStatus.badData
        case .runExists, .otherRecipe, .otherArithmetic, .unknownModule, .nothingTrains, .noRun, .undividable,
            .unevenBatch:
            ExitStatus.usage
        }
    }

    /// What is wrong, where, and what to do.
    public var description: String {
        switch self {
        case .notFinite(let what, let value, let step, let cases, let kept):
            "step \(step): the \(what) is \(value)\(cases.isEmpty ? "" : " (cases: \(cases.joined(separator: ", ")))").\n"
                + "The training diverged: look at its images or lower the learning rate; \(kept ?? "there is no checkpoint yet")."
        case .runExists(let path):
            "\(path) is not empty. Continue its run with --resume, or choose another --out."
        case .otherRecipe(let path, let key, let there, let here):
            "\(path) was begun with \(key) = \(there ?? "(absent)"), the recipe now says \(here ?? "(absent)"). "
                + "Resume with the same recipe, or choose another --out."
        case .otherArithmetic(let path, let there, let here):
            "\(path) was computed in \(there), this run computes in \(here): it would not end in the same bits. "
                + "Give the same --precision on the same kind of processor, or choose another --out."
        case .unknownModule(let stage, let module):
            "the stage \(stage) names \(module), but the network has no such module. "
                + "Write for example encoder, decoder or encoder.stages.0."
        case .nothingTrains(let stage):
            "the stage \(stage) would train nothing. Let it train a part of the network."
        case .noRun(let path):
            "\(path) holds no run to resume: there is no recipe.yaml. Leave --resume out to begin one."
        case .undividable(let reason, let microBatch, let ranks):
            "\(Self.division(microBatch, ranks)) would change what is learned: \(reason). "
                + "Train in one process with memory.micro_batch=none; memory.recompute=true saves memory, too."
        case .unevenBatch(let samples, let microBatch, let ranks):
            "a batch of \(samples) samples cannot be divided into \(Self.division(microBatch, ranks)). "
                + "Choose a batch that is a multiple of \((microBatch ?? 1) * ranks)."
        case .damagedRun(let file, let problem):
            "\(file): \(problem). Remove the run's folder checkpoint: --resume then begins at step 0, to the same bits."
        }
    }
}

extension TrainingError {
    private static func division(_ microBatch: Int?, _ ranks: Int) -> String {
        let parts = microBatch.map { "micro-batches of \($0)" }
        return [parts, ranks > 1 ? "\(ranks) ranks" : nil].compactMap(\.self).joined(separator: " on ")
    }
}

/// The training was interrupted after it saved its state.
public struct TrainingInterrupted: UserFacingError, Equatable {
    /// How many steps were made.
    public let steps: Int
    /// The folder to name with `--out` to go on.
    public var path: String

    /// An interruption after so many steps of the run in a folder.
    public init(steps: Int, path: String) { (self.steps, self.path) = (steps, path) }

    /// 130.
    public var exitCode: Int32 { ExitStatus.interrupted }

    /// How to go on.
    public var description: String { "interrupted after step \(steps); continue with --resume --out \(path)." }
}

/// Preprocessing was interrupted; the cases that are finished stay.
public struct PreprocessingInterrupted: UserFacingError, Equatable {
    /// How to go on, as the end of a sentence.
    public let remedy: String

    /// An interruption before training, or of nothing but preprocessing.
    public init(remedy: String) { self.remedy = remedy }

    /// 130.
    public var exitCode: Int32 { ExitStatus.interrupted }

    /// How to go on.
    public var description: String { "interrupted while preprocessing; finished cases are kept: \(remedy)." }
}
