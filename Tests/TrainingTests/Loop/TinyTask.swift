import Networks
import Tensors
import Training
import WeightFiles

/// Two linear layers, called encoder and decoder, that learn a known linear map from random numbers.
struct TinyNetwork: Module {
    let encoder: Parameter
    let decoder: Parameter

    init(on cpu: CPU) {
        var draws = Draws(seed: 3, purpose: "tiny network")
        func parameter(_ rows: Int, _ columns: Int) -> Parameter {
            Parameter(
                pytorchShape: [rows, columns], layout: .convolution,
                scalars: (0..<rows * columns).map { _ in Float(draws.normal()) * 0.5 }, on: cpu)
        }
        (encoder, decoder) = (parameter(6, 4), parameter(2, 6))
    }

    var members: [Member] { [.parameter("encoder.weight", encoder), .parameter("decoder.weight", decoder)] }

    func callAsFunction(_ x: Tensor) -> Tensor {
        let hidden = linear(x, weight: encoder.tensor(in: .training), bias: nil)
        return linear(hidden, weight: decoder.tensor(in: .training), bias: nil)
    }
}

struct TinyBatches: BatchSource {
    struct Batch: Sendable {
        let inputs: [Float]
        let targets: [Float]
    }

    var samplesPerStep = 3

    func batch(step: Int, samples: Range<Int>) -> Batch {
        let rows = samples.map { sample in
            var draws = Draws(seed: 5, purpose: "tiny batches", step: step, sample: sample)
            return (0..<4).map { _ in Float(draws.normal()) }
        }
        return Batch(inputs: rows.flatMap(\.self), targets: rows.flatMap { [$0[0] + $0[1], $0[2] - 2 * $0[3]] })
    }
}

/// What may go wrong at a step, and what is to be seen there.
final class TinyTask: TrainingTask {
    struct Killed: Error {}

    let network: any Module
    let batches: TinyBatches
    let undividedBecause: String?
    let card = TransferCard(
        architecture: NetworkPlan(inputChannels: 1, outputChannels: 2, features: [4, 8], blocks: [1, 1]),
        method: "tiny",
        patch: 32, spacingMM: [1, 1, 1], normalization: ["z_score"])
    var atStep: (Int) throws -> Void = { _ in }
    var lossScale: (Int) -> Float = { _ in 1 }
    var afterUpdate: (Int) -> Void = { _ in }
    private(set) var updates: Int64 = 0
    private let cpu: CPU
    private let tiny: TinyNetwork

    init(
        threads: Int = 2, precision: Precision = .float32, samples: Int = 3, undividedBecause: String? = nil
    ) {
        batches = TinyBatches(samplesPerStep: samples)
        self.undividedBecause = undividedBecause
        cpu = CPU(threads: threads, precision: precision)
        tiny = TinyNetwork(on: cpu)
        network = tiny
    }

    var state: [String: StoredTensor] { ["updates": StoredTensor(scalar: updates)] }

    func restore(_ state: SafetensorsFile) throws { updates = try state.tensor("updates").elements()[0] }

    func loss(_ batch: TinyBatches.Batch, step: Int) throws -> StepLoss {
        try atStep(step)
        let prediction = tiny(Tensor(batch.inputs, shape: [batch.inputs.count / 4, 4], on: cpu))
        let error = squaredError(prediction, target: Tensor(batch.targets, shape: prediction.shape, on: cpu))
        return StepLoss(
            total: scale(error, by: lossScale(step)), parts: ["squares": Double(error.item)],
            cases: ["case_\(step)", "case_\(step + 1)"])
    }

    func didUpdate(step: Int) {
        updates += 1
        afterUpdate(step)
    }

    func validate(step: Int) -> [String: Double] { ["dice": 0.5, "undefined": .nan] }

    func previews(step: Int) -> [Preview] {
        [Preview(title: "a <slice>", images: [Picture(width: 2, height: 1, pixels: [0, 255])])]
    }
}

extension TrainingRecipe {
    /// Twelve steps in two stages, a checkpoint every third.
    static func tiny(rule: any UpdateRule = SGD(momentum: 0.9), ahead: Int = 2) -> TrainingRecipe {
        TrainingRecipe(
            rule: rule,
            schedule: Schedule([
                .init(name: "rise", steps: 4, shape: .warmUp, peak: 0.05, trains: .only(["decoder"])),
                .init(steps: 8, shape: .poly(exponent: 0.9), peak: 0.05, renewsOptimizer: true),
            ]), clipNorm: 1, validationInterval: 5, checkpointSteps: 3, checkpointMinutes: nil, batchesAhead: ahead)
    }
}
