import Segmentation
import Tensors
import WeightFiles

/// Operations of the oracle's sets that are losses.
enum LossOps {
    static let operations: [String: OracleOperation] = [
        "cross_entropy": { oracle in
            try ofLogits(oracle) { logits, labels in
                crossEntropy(
                    logits, labels: labels,
                    classWeights: oracle.params.has("class_weights")
                        ? try oracle.params.doubles("class_weights").map { Float($0) } : nil,
                    ignoring: try ignoredLabel(oracle))
            }
        },
        "soft_dice": { oracle in
            let loss = try diceCrossEntropy(oracle)
            return try ofLogits(oracle) { logits, labels in
                softDice(
                    logits, labels: labels, batchDice: loss.batchDice, includeBackground: loss.includeBackground,
                    smooth: loss.smooth, ignoring: loss.ignoredLabel)
            }
        },
        "dice_ce": { oracle in
            let loss = try diceCrossEntropy(oracle)
            return try ofLogits(oracle) { loss($0, labels: $1) }
        },
        "dice_bce": { oracle in
            let (labels, regions) = try regions(oracle)
            var loss = DiceCrossEntropy()
            (loss.batchDice, loss.regions) = (try oracle.params.bool("batch_dice"), regions)
            loss.smooth = try oracle.params.double("smooth")
            let logits = try oracle.input("logits").featureMap(on: .oracle).tracked()
            return results(of: loss(logits, labels: labels), gradients: ["logits": logits])
        },
        "focal": { oracle in
            var loss = FocalLoss()
            loss.gamma = try oracle.params.double("gamma")
            if oracle.params.has("alpha") { loss.classWeights = try oracle.params.doubles("alpha").map { Float($0) } }
            return try ofLogits(oracle) { [loss] in loss($0, labels: $1) }
        },
        "tversky": { oracle in
            var loss = TverskyLoss()
            loss.falsePositives = try oracle.params.double("alpha")
            loss.falseNegatives = try oracle.params.double("beta")
            loss.smooth = try oracle.params.double("smooth")
            loss.batch = try oracle.params.bool("batch")
            loss.includeBackground = try oracle.params.bool("do_bg")
            return try ofLogits(oracle) { [loss] in loss($0, labels: $1) }
        },
        "top_k_ce": { oracle in
            let loss = HardVoxelLoss(
                .percent(try oracle.params.double("percent")), ignoredLabel: try ignoredLabel(oracle))
            return try ofLogits(oracle) { loss($0, labels: $1) }
        },
        "ohem_ce": { oracle in
            let params = oracle.params
            let isShare = try params.string("mode") == "fraction"
            let loss = HardVoxelLoss(
                isShare
                    ? .share(try params.double("keep"))
                    : .uncertain(below: try params.double("threshold"), atLeast: try params.int("minimum")))
            return try ofLogits(oracle) { loss($0, labels: $1) }
        },
        "perimeter": { oracle in
            try ofLogits(oracle) { PerimeterLoss()($0, labels: $1) }
        },
        "deep_supervision": deepSupervision,
        "downsample_labels": downsampleLabels,
        "mse": { oracle in
            try ofPrediction(oracle) { squaredError($0, target: $1) }
        },
        "masked_mse": { oracle in
            let mask = try oracle.input("mask").blockMask()
            return try ofPrediction(oracle) { hiddenSquaredError($0, target: $1, mask: mask) }
        },
        "nt_xent": { oracle in
            let temperature = try oracle.params.float("temperature")
            return try ofPairs(oracle, "first", "second") { ntXent($0, $1, temperature: temperature) }
        },
        "info_nce": { oracle in
            let (temperature, symmetric) = try (oracle.params.float("temperature"), oracle.params.bool("symmetric"))
            return try ofPairs(oracle, "query", "key") {
                infoNCE(queries: $0, keys: $1, temperature: temperature, symmetric: symmetric)
            }
        },
    ]

    private static func ignoredLabel(_ oracle: OracleCase) throws -> Int32? {
        oracle.params.has("ignore_index") ? Int32(try oracle.params.int("ignore_index")) : nil
    }

    private static func diceCrossEntropy(_ oracle: OracleCase) throws -> DiceCrossEntropy {
        let params = oracle.params
        var loss = DiceCrossEntropy()
        loss.batchDice = try params.bool("batch_dice")
        loss.includeBackground = try params.bool("do_bg")
        loss.smooth = try params.double("smooth")
        loss.ignoredLabel = try ignoredLabel(oracle)
        if params.has("weight_ce") { loss.crossEntropyWeight = try params.double("weight_ce") }
        if params.has("weight_dice") { loss.diceWeight = try params.double("weight_dice") }
        return loss
    }

    /// Regions `[N, C, D, H, W]` as labels whose bits tell the regions that a voxel lies in.
    private static func regions(_ oracle: OracleCase) throws -> (LabelMap, Regions) {
        let stored = try oracle.input("regions")
        let (samples, channels, extent) = (
            stored.shape[0], stored.shape[1], Extent3(dimensions: Array(stored.shape[2...]))
        )
        let flags = try stored.integers()
        let labels = (0..<samples * extent.volume).map { voxel in
            (0..<channels).reduce(Int32(0)) { label, channel in
                let sample = voxel / extent.volume
                let flag = flags[(sample * channels + channel) * extent.volume + voxel % extent.volume]
                return flag == 0 ? label : label | 1 << channel
            }
        }
        let members = (0..<channels).map { channel in (0..<Int32(1 << channels)).filter { $0 & 1 << channel != 0 } }
        return (LabelMap(samples: samples, extent: extent, labels: labels), Regions(members))
    }

    private static func ofLogits(
        _ oracle: OracleCase, _ loss: (Tensor, LabelMap) throws -> Tensor
    ) throws -> OracleResults {
        let logits = try oracle.input("logits").featureMap(on: .oracle).tracked()
        return try results(of: loss(logits, oracle.input("target").labelMap()), gradients: ["logits": logits])
    }

    private static func ofPrediction(
        _ oracle: OracleCase, _ loss: (Tensor, Tensor) throws -> Tensor
    ) throws -> OracleResults {
        let prediction = try oracle.input("prediction").featureMap(on: .oracle).tracked()
        let target = try oracle.input("target").featureMap(on: .oracle)
        return try results(of: loss(prediction, target), gradients: ["prediction": prediction])
    }

    private static func ofPairs(
        _ oracle: OracleCase, _ first: String, _ second: String, _ loss: (Tensor, Tensor) -> Tensor
    ) throws -> OracleResults {
        let pair = try [first, second].map { try oracle.input($0).plain(on: .oracle).tracked() }
        return results(of: loss(pair[0], pair[1]), gradients: [first: pair[0], second: pair[1]])
    }

    private static func deepSupervision(_ oracle: OracleCase) throws -> OracleResults {
        let levels = 0..<(try oracle.params.int("levels"))
        // The targets given for coarser levels are those of full resolution, sampled down: so does the loss.
        let outputs = try levels.map { try oracle.input("logits_\($0)").featureMap(on: .oracle).tracked() }
        let labels = try oracle.input("target_0").labelMap()
        var loss = try diceCrossEntropy(oracle)
        (loss.crossEntropyWeight, loss.diceWeight) = (1, 1)
        return results(
            of: DeepSupervision(loss)(outputs, labels: labels).total,
            gradients: Dictionary(uniqueKeysWithValues: levels.map { ("logits_\($0)", outputs[$0]) }))
    }

    private static func downsampleLabels(_ oracle: OracleCase) throws -> OracleResults {
        let stored = try oracle.input("labels")
        let labels = LabelMap(
            samples: 1, extent: Extent3(dimensions: stored.shape), labels: try stored.integers().map { Int32($0) })
        var results = OracleResults()
        for (index, scale) in try oracle.params.array("scales").enumerated() {
            guard case .array(let factors) = scale else { continue }
            let extent = Extent3(
                dimensions: zip(stored.shape, factors).map { size, factor in
                    Int((Double(size) * (factor.number ?? .nan)).rounded(.toNearestOrEven))
                })
            results.outputs["labels_\(index)"] = StoredTensor(
                labels.downsampled(to: extent).labels, shape: extent.dimensions)
        }
        return results
    }

    private static func results(of loss: Tensor, gradients: [String: Tensor]) -> OracleResults {
        let found = loss.backward()
        return OracleResults(
            outputs: ["loss": StoredTensor(loss.scalars, shape: [])],
            gradients: gradients.compactMapValues { input in
                found[input].map {
                    $0.shape.rank == 5 ? $0.stored() : StoredTensor($0.scalars, shape: $0.shape.dimensions)
                }
            })
    }
}
