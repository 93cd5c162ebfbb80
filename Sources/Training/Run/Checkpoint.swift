import Foundation
import Networks
import WeightFiles

/// All that a training needs to go on, in the folder `checkpoint`.
///
/// Random numbers need no entry: they are functions of the step.
struct Checkpoint: Codable {
    /// Steps that were made.
    var steps: Int
    /// Time that they took.
    var seconds: Double

    /// Replaces the checkpoint; the former one is kept until this one is on the disk.
    func save(_ path: String, _ task: some TrainingTask, _ optimizer: Optimizer) throws {
        try AtomicDirectory.replace(path) { folder in
            try SafetensorsFile.write(
                task.network.storedTensors(everyAlias: false), metadata: task.card.metadata,
                to: "\(folder)/model.safetensors")
            try SafetensorsFile.write(optimizer.state, to: "\(folder)/optimizer.safetensors")
            try SafetensorsFile.write(task.state, to: "\(folder)/task.safetensors")
            try AtomicFile.write(try JSONEncoder().encode(self), to: "\(folder)/state.json")
        }
    }

    /// Puts task and optimizer where a checkpoint says; `nil` if there is none.
    static func restore(_ path: String, _ task: some TrainingTask, _ optimizer: inout Optimizer) throws -> Checkpoint? {
        let stateFile = "\(path)/state.json"
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        guard let text = FileManager.default.contents(atPath: stateFile),
            let checkpoint = try? JSONDecoder().decode(Checkpoint.self, from: text)
        else { throw TrainingError.damagedRun(file: stateFile, problem: "the checkpoint's state cannot be read") }
        try task.network.load(try SafetensorsFile.read("\(path)/model.safetensors"))
        try optimizer.restore(
            try SafetensorsFile.read("\(path)/optimizer.safetensors"), for: task.network.namedParameters)
        try task.restore(try SafetensorsFile.read("\(path)/task.safetensors"))
        return checkpoint
    }
}
