import Networks
import Pretraining
import Segmentation
import Tensors
import Training
import WeightFiles

/// Whole training runs of the oracle: some steps of SGD on a few fixed batches.
enum TrajectoryOps {
    /// nnU-Net's supervised training.
    static func segmentation(_ oracle: OracleCase) throws -> OracleResults {
        let network = try UNet(oracle.networkPlan(), on: .oracle)
        try network.load(oracle.weightsFile())
        var terms = DiceCrossEntropy()
        terms.batchDice = try oracle.params.bool("batch_dice")
        terms.includeBackground = try oracle.params.bool("do_bg")
        terms.smooth = try oracle.params.double("smooth")
        let loss = DeepSupervision(terms)
        return try train(network, oracle) { batch in
            let outputs = network(try oracle.input("input_\(batch)").featureMap(on: .oracle), in: .training)
            return loss(outputs, labels: try oracle.input("target_\(batch)").labelMap()).total
        }
    }

    /// Masked pre-training.
    static func spark3D(_ oracle: OracleCase) throws -> OracleResults {
        let network = Spark3DNetwork(try UNet(oracle.networkPlan(), on: .oracle), on: .oracle)
        try network.load(oracle.weightsFile())
        return try train(network, oracle) { batch in
            let volume = try oracle.input("input_\(batch)").featureMap(on: .oracle)
            let mask = try oracle.input("mask_\(batch)").blockMask()
            return hiddenSquaredError(network(volume, mask: mask, in: .training), target: volume, mask: mask)
        }
    }

    /// Losses, gradient norms before clipping, and all parameters after the last step.
    private static func train(
        _ network: any Module, _ oracle: OracleCase, loss: (_ batch: Int) throws -> Tensor
    ) throws -> OracleResults {
        let params = oracle.params
        let (parameters, batches) = (network.namedParameters, try params.int("batches"))
        var optimizer = Optimizer(
            SGD(
                momentum: try params.double("momentum"), nesterov: try params.bool("nesterov"),
                weightDecay: try params.double("weight_decay")))
        var (losses, norms): ([Float], [Float]) = ([], [])
        for (step, rate) in try params.doubles("learning_rates").enumerated() {
            let value = try loss(step % batches)
            let gradients = value.backward()
            let norm = gradients.norm(over: parameters.map(\.parameter))
            losses.append(value.item)
            norms.append(Float(norm))
            optimizer.step(
                parameters, gradients: gradients, learningRate: rate,
                gradientScale: Gradients.clippingScale(norm: norm, limit: try params.double("clip_norm")))
        }
        var results = OracleResults(outputs: network.storedTensors(everyAlias: true))
        results.outputs["loss"] = StoredTensor(losses, shape: [losses.count])
        results.outputs["norm"] = StoredTensor(norms, shape: [norms.count])
        return results
    }
}
