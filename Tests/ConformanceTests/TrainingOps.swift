import Tensors
import Training
import WeightFiles

/// The oracle's optimizers and learning rates.
enum TrainingOps {
    static let operations: [String: OracleOperation] = ["optimizer": optimizer, "learning_rate": learningRate]

    private static func optimizer(_ oracle: OracleCase) throws -> OracleResults {
        let cpu = CPU()
        let params = oracle.params
        let parameters = try oracle.weights.keys.sorted().map { name in
            let start = try oracle.weight(name)
            return (
                name: name,
                parameter: Parameter(
                    pytorchShape: Shape(start.shape), layout: .plain, scalars: try start.floats(), on: cpu)
            )
        }
        let given = try Dictionary(
            uniqueKeysWithValues: parameters.map { ($0.name, try oracle.input("grad_\($0.name)").floats()) })
        let clip = params.has("clip_norm") ? try params.double("clip_norm") : nil
        let rates = try params.doubles("learning_rates")

        var optimizer = Optimizer(try rule(params))
        var norms: [Float] = []
        var history = parameters.map { _ in [Float]() }
        for (step, rate) in rates.enumerated() {
            let gradients = Tensor.backward(
                from: parameters.map { name, parameter in
                    let count = parameter.pytorchShape.count
                    let slice = Array(given[name]![step * count..<(step + 1) * count])
                    return (parameter.tensor(in: .training), Tensor(slice, shape: parameter.pytorchShape, on: cpu))
                })
            let norm = gradients.norm(over: parameters.map(\.parameter))
            norms.append(Float(norm))
            optimizer.step(
                parameters, gradients: gradients, learningRate: rate,
                gradientScale: Gradients.clippingScale(norm: norm, limit: clip))
            for index in parameters.indices { history[index] += parameters[index].parameter.scalars }
        }
        var outputs = ["norm": StoredTensor(norms, shape: [rates.count])]
        for ((name, parameter), values) in zip(parameters, history) {
            outputs[name] = StoredTensor(values, shape: [rates.count] + parameter.pytorchShape.dimensions)
        }
        return OracleResults(outputs: outputs)
    }

    private static func rule(_ params: OracleParameters) throws -> any UpdateRule {
        let decay = try params.double("weight_decay")
        if try params.string("kind") == "sgd" {
            return SGD(
                momentum: try params.double("momentum"), nesterov: try params.bool("nesterov"), weightDecay: decay)
        }
        return Adam(
            beta1: try params.double("beta1"), beta2: try params.double("beta2"), epsilon: try params.double("eps"),
            weightDecay: decay, isDecoupled: try params.string("kind") == "adamw")
    }

    /// One step stands for one epoch.
    private static func learningRate(_ oracle: OracleCase) throws -> OracleResults {
        let params = oracle.params
        let (peak, epochs) = (try params.double("initial"), try params.int("epochs"))
        let poly = Schedule.Shape.poly(exponent: try params.double("exponent"))
        func stage(_ steps: Int, _ shape: Schedule.Shape, peak: Double = peak) -> Schedule.Stage {
            .init(steps: steps, shape: shape, peak: peak)
        }
        let stages: [Schedule.Stage]
        switch try params.string("kind") {
        case "poly": stages = [stage(epochs, poly)]
        case "warmup_poly":
            let warmUp = try params.int("warmup")
            stages = [stage(warmUp, .warmUp), stage(epochs - warmUp, poly)]
        case let kind:
            let (decoder, whole) = (try params.int("decoder_epochs"), try params.int("whole_warmup"))
            let reached = kind == "sawtooth" ? Double(whole) / Double(decoder + whole) : 1
            stages = [
                stage(decoder / 2, .warmUp), stage(decoder - decoder / 2, poly),
                stage(whole, .warmUp, peak: peak * reached), stage(epochs - decoder - whole, poly),
            ]
        }
        let schedule = Schedule(stages)
        let rates = (0..<epochs).map(schedule.learningRate)
        return OracleResults(outputs: ["learning_rate": StoredTensor(rates, shape: [epochs])])
    }
}
