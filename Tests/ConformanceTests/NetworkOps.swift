import Networks
import Pretraining
import Tensors
import WeightFiles

/// Operations of the oracle's sets that are whole networks.
enum NetworkOps {
    static let operations: [String: OracleOperation] = [
        "resenc_unet": unet, "plain_unet": unet, "s3d": spark3D, "s3d_parity": spark3D,
        "medicalnet_resnet": medicalNet, "genesis_unet3d": genesis, "training": TrajectoryOps.segmentation,
        "training_s3d": TrajectoryOps.spark3D,
    ]

    /// One forward and backward pass of a U-Net: `values.loss` is the sum of outputs times their upstream gradients.
    private static func unet(_ oracle: OracleCase) throws -> OracleResults {
        let network = try UNet(oracle.networkPlan(), on: .oracle)
        try network.load(oracle.weightsFile())
        try checkNames(of: network, in: oracle)
        let input = try oracle.input("input").featureMap(on: .oracle).tracked()
        let logits = network(input, in: .training)

        let dimensions = network.plan.dimensions.rawValue
        var results = OracleResults()
        var upstreams: [(output: Tensor, upstream: Tensor)] = []
        for (level, output) in logits.enumerated() {
            let name = try oracle.params.bool("deep_supervision") ? "output_\(level)" : "output"
            results.outputs[name] = output.stored(dimensions: dimensions)
            upstreams.append((output, try oracle.input("grad_\(name)").featureMap(on: .oracle)))
        }
        let loss = upstreams.reduce(0) { $0 + Double(sum(multiply($1.output.detached, $1.upstream)).item) }
        results.values["loss"] = .number(loss)
        let gradients = Tensor.backward(from: upstreams)
        results.gradients = network.storedGradients(gradients)
        results.gradients["input"] = gradients[input]?.stored(dimensions: dimensions)
        return results
    }

    /// One forward and backward pass of MedicalNet's ResNet.
    private static func medicalNet(_ oracle: OracleCase) throws -> OracleResults {
        let params = oracle.params
        guard let shortcut = ResNetShape.Shortcut(rawValue: try params.string("shortcut")) else {
            throw WrongName(name: "shortcut")
        }
        let plan = ResNetPlan(
            ResNetShape(
                blocks: try params.ints("layers"), hasBottlenecks: try params.bool("bottleneck"), shortcut: shortcut,
                width: try params.int("width")),
            headWidth: try params.int("head"), outputChannels: try params.int("classes"))
        let network = MedicalNetResNet(
            plan, statistics: try params.bool("training") ? .ofPhase : .running,
            detachesShortcuts: try params.bool("shortcut_detached"), on: .oracle)
        return try singleOutput(oracle, network) { network($0, in: .training) }
    }

    /// One forward and backward pass of the U-Net of Models Genesis.
    private static func genesis(_ oracle: OracleCase) throws -> OracleResults {
        let network = GenesisUNet(
            outputChannels: try oracle.params.int("classes"), width: try oracle.params.int("width"), on: .oracle)
        return try singleOutput(oracle, network) { network($0, in: .training) }
    }

    /// Output, gradients and buffers after the call of a network with one output.
    private static func singleOutput(
        _ oracle: OracleCase, _ network: some Module, _ apply: (Tensor) -> Tensor
    ) throws -> OracleResults {
        try network.load(oracle.weightsFile())
        let difference = Set(network.storedTensors(everyAlias: true).keys).symmetricDifference(oracle.weights.keys)
        if let name = difference.min() { throw WrongName(name: name) }
        let input = try oracle.input("input").featureMap(on: .oracle).tracked()
        let upstream = try oracle.input("grad_output").featureMap(on: .oracle)
        let output = apply(input)
        var results = OracleResults(outputs: ["output": output.stored()])
        for (name, buffer) in network.namedBuffers {
            results.outputs[name] = StoredTensor(buffer.scalars, shape: buffer.shape.dimensions)
        }
        results.values["loss"] = .number(Double(sum(multiply(output.detached, upstream)).item))
        let gradients = Tensor.backward(from: [(output, upstream)])
        results.gradients = network.storedGradients(gradients)
        results.gradients["input"] = gradients[input]?.stored()
        return results
    }

    /// One forward and backward pass of a masked auto-encoder.
    private static func spark3D(_ oracle: OracleCase) throws -> OracleResults {
        var parts = Spark3DParts()
        parts.masksInput = try oracle.params.bool("mask_input")
        let network = Spark3DNetwork(try UNet(oracle.networkPlan(), on: .oracle), parts: parts, on: .oracle)
        try network.load(oracle.weightsFile())
        let volume = try oracle.input("input").featureMap(on: .oracle)
        let mask = try oracle.input("mask").blockMask()

        let input = volume.tracked()
        let output = network(input, mask: mask, in: .training)
        var results = OracleResults(outputs: ["output": output.stored()])
        var upstreams: [(output: Tensor, upstream: Tensor)] = []
        if oracle.outputs["loss"] != nil {
            let loss = hiddenSquaredError(output, target: volume, mask: mask)
            results.outputs["loss"] = StoredTensor(scalar: loss.item)
            upstreams.append((loss, Tensor(filledWith: 1, shape: loss.shape, on: .oracle)))
        }
        if oracle.hasInput("grad_output") {
            upstreams.append((output, try oracle.input("grad_output").featureMap(on: .oracle)))
        }
        let gradients = Tensor.backward(from: upstreams)
        results.gradients = network.storedGradients(gradients)
        results.gradients["input"] = gradients[input]?.stored()
        return results
    }

    /// A strict `load_state_dict` must accept what we save: no name may be missing, none left over.
    private static func checkNames(of network: UNet, in oracle: OracleCase) throws {
        let difference = Set(network.storedTensors(everyAlias: true).keys).symmetricDifference(oracle.weights.keys)
        if let name = difference.min() { throw WrongName(name: name) }
    }

    struct WrongName: Error { let name: String }
}

extension CPU {
    /// Where the networks of the oracle's cases run.
    static let oracle = CPU()
}

extension OracleCase {
    /// The network that a case's parameters describe.
    func networkPlan() throws -> NetworkPlan {
        guard let dimensions = Dimensions(rawValue: try params.int("dimensions")),
            try params.string("norm") == "instance", try params.double("eps") == 1e-5,
            try params.float("negative_slope") == ConvNormActivation.slope
        else { throw OracleParameters.Missing(key: "norm", wanted: "the only norm and slope there are", found: nil) }
        func extents(_ key: String) throws -> [Extent3] {
            try params.intLists(key).map { Extent3(dimensions: Array(repeating: 1, count: 3 - $0.count) + $0) }
        }
        return NetworkPlan(
            architecture: op == "plain_unet" ? .plain : .resEnc, dimensions: dimensions,
            inputChannels: try params.int("input_channels"), outputChannels: try params.int("classes"),
            features: try params.ints("features"), strides: try extents("strides"), kernels: try extents("kernels"),
            blocks: try params.ints("blocks"), decoderConvolutions: try params.ints("decoder_convs"),
            deepSupervision: try params.bool("deep_supervision"), convolutionBias: try params.bool("conv_bias"))
    }

    /// The weights under all their names.
    func weightsFile() throws -> SafetensorsFile { SafetensorsFile(tensors: try allWeights()) }
}

extension StoredTensor {
    /// Visible cells from `[N, 1, gD, gH, gW]`, 1 where visible.
    func blockMask() throws -> BlockMask {
        BlockMask(
            samples: shape[0], grid: Extent3(dimensions: Array(shape[2...])), visible: try integers().map { $0 != 0 })
    }
}

extension Module {
    /// The gradients of the parameters in PyTorch's layouts, by canonical name.
    func storedGradients(_ gradients: Gradients) -> [String: StoredTensor] {
        namedParameters.reduce(into: [:]) { all, entry in all[entry.name] = gradients.stored(entry.parameter) }
    }
}
