import Foundation
import Networks
import WeightFiles

/// All that a training needs to go on, in the folder `checkpoint`.
///
/// Random numbers need no entry: they are functions of the step.
struct Checkpoint: Sealed {
    /// Steps that were made.
    var steps: Int
    /// Time that they took.
    var seconds: Double
    /// What computed them: the same bits come from the same arithmetic only.
    var arithmetic: String
    /// The checksum of each file of tensors.
    var files: [String: UInt32] = [:]
    var checksum: UInt32 = 0

    /// Replaces the checkpoint; the former one is kept until this one is on the disk.
    func save(_ path: String, _ task: some TrainingTask, _ optimizer: Optimizer) throws {
        try AtomicDirectory.replace(path) { folder in
            var state = self
            state.files = [
                Self.model: try SafetensorsFile.write(
                    task.network.storedTensors(everyAlias: false), metadata: task.card.metadata,
                    to: "\(folder)/\(Self.model)"),
                Self.optimizer: try SafetensorsFile.write(optimizer.state, to: "\(folder)/\(Self.optimizer)"),
                Self.task: try SafetensorsFile.write(task.state, to: "\(folder)/\(Self.task)"),
            ]
            try AtomicFile.write(try JSONEncoder.canonical.encode(try state.sealed()), to: "\(folder)/state.json")
        }
    }

    private static let (model, optimizer, task) = ("model.safetensors", "optimizer.safetensors", "task.safetensors")

    /// The precision and the kernels that a task's network computes with, such as `bfloat16 on avx512bf16`.
    static func arithmetic(of task: some TrainingTask) -> String {
        guard let cpu = task.network.namedParameters.first?.parameter.value.cpu else { return "nothing" }
        return "\(cpu.precision.rawValue) on \(cpu.kernelSet)"
    }

    /// What the checkpoint at `path` says of itself.
    static func state(_ path: String) throws -> Checkpoint {
        let file = "\(path)/state.json"
        // Byte for byte what was written: a flipped digit that rounds to the same number is damage all the same.
        guard let text = FileManager.default.contents(atPath: file),
            let state = try? JSONDecoder().decode(Checkpoint.self, from: text), state.isIntact,
            (try? JSONEncoder.canonical.encode(state)) == text
        else { throw TrainingError.damagedRun(file: file, problem: "the checkpoint's state is missing or damaged") }
        return state
    }

    /// The tensors in one of the files of the checkpoint at `path`.
    func tensors(_ name: String, _ path: String) throws -> SafetensorsFile {
        let file = try SafetensorsFile.read("\(path)/\(name)")
        guard file.checksum != nil, file.checksum == files[name] else {
            throw TrainingError.damagedRun(
                file: file.path, problem: "its checksum is not the one that the checkpoint has recorded")
        }
        return file
    }

    /// Puts task and optimizer where a checkpoint says; `nil` if there is none.
    static func restore(_ path: String, _ task: some TrainingTask, _ optimizer: inout Optimizer) throws -> Checkpoint? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let checkpoint = try state(path)
        let here = Self.arithmetic(of: task)
        guard checkpoint.arithmetic == here else {
            throw TrainingError.otherArithmetic(path: path, there: checkpoint.arithmetic, here: here)
        }
        try task.network.load(try checkpoint.tensors(Self.model, path))
        try optimizer.restore(try checkpoint.tensors(Self.optimizer, path), for: task.network.namedParameters)
        try task.restore(try checkpoint.tensors(Self.task, path))
        return checkpoint
    }
}
