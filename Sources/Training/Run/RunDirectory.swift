import Foundation
import WeightFiles

/// The folder that holds everything of a training: recipe, log, checkpoint, weights, page.
///
/// While this object lives, no other process can train there.
public final class RunDirectory {
    /// The folder.
    public let path: String
    /// All settings; running it again repeats the run.
    public let recipe: ResolvedRecipe
    /// Nil for a rank that only follows.
    private let lock: Int32?

    /// `log.jsonl`: one JSON object per logged step.
    public var logPath: String { "\(path)/log.jsonl" }
    /// `checkpoint/`: all that is needed to go on.
    public var checkpointPath: String { "\(path)/checkpoint" }
    /// `weights.safetensors`: the result.
    public var weightsPath: String { "\(path)/weights.safetensors" }
    /// `index.html`: curves, pictures, settings.
    public var pagePath: String { "\(path)/index.html" }

    private init(_ path: String, _ recipe: ResolvedRecipe) {
        (self.path, self.recipe) = (path, recipe)
        self.lock = nil
    }

    private init(locking path: String, _ recipe: ResolvedRecipe) throws {
        (self.path, self.recipe) = (path, recipe)
        let lock = open("\(path)/recipe.yaml", O_RDONLY | O_CLOEXEC)
        guard lock >= 0 else { throw FileError("open", "\(path)/recipe.yaml") }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            close(lock)
            throw TrainingError.busy(path: path)
        }
        self.lock = lock
    }

    deinit { if let lock { close(lock) } }

    /// The run that another rank begins or resumes: this one only reads.
    public static func follow(_ path: String, recipe: ResolvedRecipe) -> RunDirectory { RunDirectory(path, recipe) }

    /// Begins a run in a folder that is empty or not there yet.
    /// - Throws: ``TrainingError/runExists(path:)``, `FileError`.
    public static func create(_ path: String, recipe: ResolvedRecipe) throws -> RunDirectory {
        let files = FileManager.default
        if let names = try? files.contentsOfDirectory(atPath: path), !names.isEmpty {
            throw TrainingError.runExists(path: path)
        }
        do {
            try files.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw FileError("create", path, error)
        }
        try AtomicFile.write(recipe.yaml, to: "\(path)/recipe.yaml")
        return try RunDirectory(locking: path, recipe)
    }

    /// Goes on with a run that has the same recipe.
    /// - Throws: ``TrainingError/noRun(path:)``; ``TrainingError/otherRecipe(path:key:there:here:)`` with the first key
    ///   that differs.
    public static func resume(_ path: String, recipe: ResolvedRecipe) throws -> RunDirectory {
        let file = "\(path)/recipe.yaml"
        guard FileManager.default.fileExists(atPath: file) else { throw TrainingError.noRun(path: path) }
        let begun = try RecipeDocument.load(file).asWritten
        let now = try RecipeDocument.parse(recipe.yaml).asWritten
        if let difference = begun.firstDifference(from: now) {
            throw TrainingError.otherRecipe(
                path: path, key: difference.key, there: difference.here, here: difference.there)
        }
        let run = try RunDirectory(locking: path, recipe)
        try AtomicDirectory.recover(run.checkpointPath)
        return run
    }
}
