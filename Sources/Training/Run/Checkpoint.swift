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
    /// What computed them: the same bits come from the same arithmetic only.
    var arithmetic: String

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

    /// The precision and the kernels that a task's network computes with, such as `bfloat16 on avx512bf16`.
    static func arithmetic(of task: some TrainingTask) -> String {
        guard let cpu = task.network.namedParameters.first?.parameter.value.cpu else { return "nothing" }
        return "\(cpu.precision.rawValue) on \(cpu.kernelSet)"
    }

    /// Puts task and optimizer where a checkpoint says; `nil` if there is none.
    static func restore(_ path: String, _ task: some TrainingTask, _ optimizer: inout Optimizer) throws -> Checkpoint? {
        let stateFile = "\(path)/state.json"
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        guard let text = FileManager.default.contents(atPath: stateFile),
            let checkpoint = try? JSONDecoder().decode(Checkpoint.self, from: text)
        else { throw TrainingError.damagedRun(file: stateFile, problem: "the checkpoint's state cannot be read") }
        let here = Self.arithmetic(of: task)
        guard checkpoint.arithmetic == here else {
            throw TrainingError.otherArithmetic(path: path, there: checkpoint.arithmetic, here: here)
        }
        try task.network.load(try SafetensorsFile.read("\(path)/model.safetensors"))
        try optimizer.restore(
            try SafetensorsFile.read("\(path)/optimizer.safetensors"), for: task.network.namedParameters)
        try task.restore(try SafetensorsFile.read("\(path)/task.safetensors"))
        return checkpoint
    }
}
