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
    private let lock: FolderLock?

    /// `log.jsonl`: one JSON object per logged step.
    public var logPath: String { "\(path)/log.jsonl" }
    /// `checkpoint/`: all that is needed to go on.
    public var checkpointPath: String { "\(path)/checkpoint" }
    /// `weights.safetensors`: the result.
    public var weightsPath: String { "\(path)/weights.safetensors" }
    /// `index.html`: curves, pictures, settings.
    public var pagePath: String { "\(path)/index.html" }

    private init(_ path: String, _ recipe: ResolvedRecipe, _ lock: FolderLock?) {
        (self.path, self.recipe, self.lock) = (path, recipe, lock)
    }

    /// The run that another rank begins or resumes: this one only reads.
    public static func follow(_ path: String, recipe: ResolvedRecipe) -> RunDirectory {
        RunDirectory(path, recipe, nil)
    }

    /// Begins a run in a folder that is empty or not there yet.
    /// - Throws: ``TrainingError/runExists(path:)``, `FolderInUse`, `FileError`.
    public static func create(_ path: String, recipe: ResolvedRecipe) throws -> RunDirectory {
        guard isEmpty(path) else {
            // Whoever begins the same run twice is told of the first process, not to resume it.
            if FileManager.default.fileExists(atPath: "\(path)/\(FolderLock.fileName)") { _ = try FolderLock(path) }
            throw TrainingError.runExists(path: path)
        }
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw FileError("create", path, error)
        }
        let lock = try FolderLock(path)
        // Between the first look and the lock another process may have begun, and ended.
        guard isEmpty(path) else { throw TrainingError.runExists(path: path) }
        AtomicFile.removeTemporaries(in: path)
        try AtomicFile.write(recipe.yaml, to: "\(path)/recipe.yaml")
        return RunDirectory(path, recipe, lock)
    }

    /// Whether a folder holds nothing but what a process leaves that is killed before it wrote the recipe, or does not exist.
    private static func isEmpty(_ path: String) -> Bool {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).allSatisfy {
            $0 == FolderLock.fileName || AtomicFile.isTemporary($0)
        }
    }

    /// Compares a checkpoint with the checksums that it has recorded.
    ///
    /// A run may replace the checkpoint meanwhile: what is damaged fails each time that it is read.
    /// - Throws: ``TrainingError/damagedRun(file:problem:)``, `SafetensorsError`, `FileError`.
    public static func verifyCheckpoint(_ path: String) throws {
        let attempts = 3
        for attempt in 1...attempts {
            do {
                let state = try Checkpoint.state(path)
                return try state.files.keys.sorted().forEach { _ = try state.tensors($0, path) }
            } catch  where attempt < attempts {
                continue
            }
        }
    }

    /// Goes on with a run that has the same recipe.
    /// - Throws: ``TrainingError/noRun(path:)``; ``TrainingError/otherRecipe(path:key:there:here:)`` with the first key
    ///   that differs; `FolderInUse`.
    public static func resume(_ path: String, recipe: ResolvedRecipe) throws -> RunDirectory {
        let file = "\(path)/recipe.yaml"
        guard FileManager.default.fileExists(atPath: file) else { throw TrainingError.noRun(path: path) }
        let begun = try RecipeDocument.load(file).asWritten
        let now = try RecipeDocument.parse(recipe.yaml).asWritten
        if let difference = begun.firstDifference(from: now) {
            throw TrainingError.otherRecipe(
                path: path, key: difference.key, there: difference.here, here: difference.there)
        }
        let run = RunDirectory(path, recipe, try FolderLock(path))
        AtomicFile.removeTemporaries(in: path)
        try AtomicDirectory.recover(run.checkpointPath)
        return run
    }

    /// What computes the run at `path`, such as `float32 on avx512`, as its checkpoint says; nil without one.
    public static func arithmetic(ofRun path: String) -> String? {
        FileManager.default.contents(atPath: "\(path)/checkpoint/state.json")
            .flatMap { try? JSONDecoder().decode(Checkpoint.self, from: $0) }?.arithmetic
    }
}
