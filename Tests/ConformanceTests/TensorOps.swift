import Tensors
import WeightFiles

/// Operations of the oracle's sets that the room `Tensors` answers.
enum TensorOps {
    static let operations: [String: OracleOperation] = [
        "conv3d": { oracle in
            let geometry = try oracle.params.geometry()
            return try run(oracle, layouts: ["weight": .convolution]) { x, parameters in
                conv3D(x, weight: parameters["weight"]!, bias: parameters["bias"], geometry)
            }
        },
        "conv_transpose3d": { oracle in
            let geometry = try oracle.params.geometry()
            let outputPadding = try Extent3(dimensions: oracle.params.ints("output_padding"))
            return try run(oracle, layouts: ["weight": .convolution]) { x, parameters in
                convTranspose3D(
                    x, weight: parameters["weight"]!, bias: parameters["bias"], geometry, outputPadding: outputPadding)
            }
        },
        "linear": { oracle in
            try run(oracle, layouts: ["weight": .convolution], map: .plain) { x, parameters in
                linear(x, weight: parameters["weight"]!, bias: parameters["bias"])
            }
        },
        "instance_norm3d": { oracle in
            let epsilon = try oracle.params.double("eps")
            return try run(oracle) { x, parameters in
                instanceNorm(x, weight: parameters["weight"], bias: parameters["bias"], epsilon: epsilon)
            }
        },
        "group_norm": { oracle in
            let (groups, epsilon) = try (oracle.params.int("groups"), oracle.params.double("eps"))
            return try run(oracle) { x, parameters in
                groupNorm(x, groups: groups, weight: parameters["weight"], bias: parameters["bias"], epsilon: epsilon)
            }
        },
        "batch_norm3d": batchNormalization,
        "leaky_relu": { oracle in
            let slope = try oracle.params.float("negative_slope")
            return try run(oracle) { x, _ in leakyReLU(x, slope: slope) }
        },
        "relu": { try run($0) { x, _ in relu(x) } },
        "sigmoid": { try run($0) { x, _ in sigmoid(x) } },
        "softmax": { try run($0) { x, _ in softmax(x) } },
        "max_pool3d": { oracle in
            let window = try oracle.params.geometry()
            return try run(oracle) { x, _ in
                maxPool3D(x, kernel: window.kernel, stride: window.stride, padding: window.padding)
            }
        },
        "avg_pool3d": { oracle in
            let window = try oracle.params.geometry()
            return try run(oracle) { x, _ in
                averagePool3D(x, kernel: window.kernel, stride: window.stride, padding: window.padding)
            }
        },
        "upsample": { oracle in
            let extent = try Extent3(dimensions: oracle.params.ints("size"))
            let nearest = try oracle.params.string("mode") == "nearest"
            let mode: UpsamplingMode =
                nearest ? .nearest : .trilinear(alignCorners: try oracle.params.bool("align_corners"))
            return try run(oracle) { x, _ in upsample(x, to: extent, mode: mode) }
        },
        "concat": { oracle in
            let cpu = CPU()
            let names = try (0..<oracle.params.int("count")).map { "input_\($0)" }
            let inputs = try names.map { try oracle.input($0).featureMap(on: cpu).tracked() }
            let output = concatenate(inputs)
            let gradients = Tensor.backward(from: [(output, try oracle.input("grad_output").featureMap(on: cpu))])
            return OracleResults(
                outputs: ["output": output.stored()],
                gradients: Dictionary(uniqueKeysWithValues: zip(names, inputs.map { gradients[$0]!.stored() })))
        },
    ]

    private enum Axes { case featureMap, plain }

    /// Runs a function of `input` and the parameters, and its gradients under `grad_output`.
    private static func run(
        _ oracle: OracleCase, layouts: [String: Parameter.Layout] = [:], map: Axes = .featureMap,
        _ function: (Tensor, [String: Tensor]) -> Tensor
    ) throws -> OracleResults {
        let cpu = CPU()
        func tensor(_ stored: StoredTensor) throws -> Tensor {
            map == .plain ? try stored.plain(on: cpu) : try stored.featureMap(on: cpu)
        }
        func stored(_ tensor: Tensor) -> StoredTensor { map == .plain ? tensor.storedPlain : tensor.stored() }
        let x = try tensor(oracle.input("input")).tracked()
        let parameters = try oracle.allWeights().reduce(into: [String: Parameter]()) { all, weight in
            all[weight.key] = try weight.value.parameter(layouts[weight.key] ?? .plain, on: cpu)
        }
        let output = function(x, parameters.mapValues { $0.tensor(in: .training) })
        let gradients = Tensor.backward(from: [(output, try tensor(oracle.input("grad_output")))])
        var results = OracleResults(outputs: ["output": stored(output)])
        results.gradients["input"] = gradients[x].map(stored)
        for (name, parameter) in parameters { results.gradients[name] = gradients.stored(parameter) }
        return results
    }

    @Sendable private static func batchNormalization(_ oracle: OracleCase) throws -> OracleResults {
        var running = RunningStatistics(
            mean: try oracle.weight("running_mean").floats(), variance: try oracle.weight("running_var").floats())
        let (momentum, epsilon) = try (oracle.params.double("momentum"), oracle.params.double("eps"))
        let phase: Phase = try oracle.params.bool("training") ? .training : .inference
        var results = try run(oracle) { x, parameters in
            batchNorm(
                x, weight: parameters["weight"], bias: parameters["bias"], running: &running, momentum: momentum,
                epsilon: epsilon, in: phase)
        }
        results.outputs["running_mean"] = StoredTensor(running.mean, shape: [running.mean.count])
        results.outputs["running_var"] = StoredTensor(running.variance, shape: [running.variance.count])
        return results
    }
}

extension OracleParameters {
    /// Kernel, stride, padding and, where given, dilation.
    fileprivate func geometry() throws -> ConvGeometry {
        ConvGeometry(
            kernel: Extent3(dimensions: try ints("kernel")), stride: Extent3(dimensions: try ints("stride")),
            padding: Extent3(dimensions: try ints("padding")),
            dilation: has("dilation") ? Extent3(dimensions: try ints("dilation")) : 1)
    }
}
