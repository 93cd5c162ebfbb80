import Foundation
import Networks
import Tensors
import Volumes

/// What an ensemble makes of an image without labels: how much a label of it might teach.
public struct CaseInterest: Sendable, Hashable, Codable {
    /// The case.
    public var name: String
    /// The mean predictive entropy over the voxels that may be foreground, in nats.
    public var entropy: Double
    /// The mean mutual information of prediction and member over the same voxels, in nats.
    public var mutualInformation: Double
    /// 1 minus the mean Dice of every two models' labels; of a single model, of its views'.
    public var disagreement: Double
    /// The squared norm of the gradient that the predicted labels would give to the last layer: an approximation of the
    /// Fisher information.
    public var gradient: Double
    /// The mean bottleneck features.
    public var features: [Float]

    /// Given numbers.
    public init(
        name: String, entropy: Double, mutualInformation: Double = 0, disagreement: Double = 0, gradient: Double = 0,
        features: [Float] = []
    ) {
        (self.name, self.entropy, self.mutualInformation) = (name, entropy, mutualInformation)
        (self.disagreement, self.gradient, self.features) = (disagreement, gradient, features)
    }
}

extension Ensemble {
    /// Looks at an image as a candidate for labeling. All scores are taken on the preprocessed grid.
    /// - Throws: ``PreprocessingError``, or what `progress` throws.
    public func interest(
        in image: Volume, named name: String, progress: (_ done: Int, _ all: Int) throws -> Void = { _, _ in }
    ) throws -> CaseInterest {
        let prepared = try plan.preprocessing(image, on: cpu)
        let (voxels, channels) = (prepared.extent.volume, plan.outputChannels)
        var uncertainty = Uncertainty(channels: channels, voxels: voxels, areRegions: areRegions)
        var opinions: [[Float]] = []
        _ = try meanLogits(of: prepared, progress: progress) { model, logits in
            uncertainty.add(Probabilities.of(logits, voxels: voxels, areRegions: areRegions))
            if models.count == 1 {
                opinions.append(logits)
            } else if opinions.count == model {
                opinions.append(logits)
            } else {
                opinions[model] = zip(opinions[model], logits).map { $0 + $1 }
            }
        }
        let band = uncertainty.band
        func meanOverBand(_ kind: Uncertainty.Kind) -> Double {
            let map = uncertainty.map(kind)
            let chosen = map.indices.filter { band[$0] }
            return chosen.isEmpty ? 0 : chosen.reduce(0) { $0 + Double(map[$1]) } / Double(chosen.count)
        }
        let labels = opinions.map { models[0].card.decision.labels($0, channels: channels) }
        let (gradient, features) = lastLayerGradient(of: prepared)
        return CaseInterest(
            name: name, entropy: meanOverBand(.entropy), mutualInformation: meanOverBand(.mutualInformation),
            disagreement: Self.disagreement(labels), gradient: gradient, features: features)
    }

    /// 1 minus the mean Dice of every two label maps over the classes that either has; 0 for a single map and where nobody
    /// finds anything.
    public static func disagreement(_ maps: [[Int16]]) -> Double {
        var (sum, pairs) = (0.0, 0)
        for first in maps.indices {
            for second in maps.indices.dropFirst(first + 1) {
                var (both, sizes): ([Int16: Int], [Int16: Int]) = ([:], [:])
                for (a, b) in zip(maps[first], maps[second]) {
                    if a > 0 { sizes[a, default: 0] += 1 }
                    if b > 0 { sizes[b, default: 0] += 1 }
                    if a > 0 && a == b { both[a, default: 0] += 1 }
                }
                let dice = sizes.keys.sorted().map { 2 * Double(both[$0] ?? 0) / Double(sizes[$0] ?? 1) }
                sum += dice.isEmpty ? 0 : 1 - dice.reduce(0, +) / Double(dice.count)
                pairs += 1
            }
        }
        return pairs > 0 ? sum / Double(pairs) : 0
    }

    /// The squared norm of the last layer's gradient of cross-entropy with the predicted labels, the mean over models, and
    /// the mean bottleneck features of the first model. Windows are seen as they are.
    private func lastLayerGradient(of prepared: PreprocessedCase) -> (Double, [Float]) {
        let views = window.views(of: prepared.extent, orientations: [Orientation()])
        var (norms, features): (Double, [Float]) = (0, [])
        for (index, model) in models.enumerated() {
            let network = model.network
            let head = network.decoder.lastLayer
            // Only that layer's gradient is wanted: nothing else is recorded.
            let own = Set(head.namedParameters.map { ObjectIdentifier($0.parameter) })
            let others = network.namedParameters.map(\.parameter).filter {
                $0.isTrainable && !own.contains(ObjectIdentifier($0))
            }
            for parameter in others { parameter.isTrainable = false }
            defer { for parameter in others { parameter.isTrainable = true } }
            var slope: [Double] = []
            for view in views {
                let patch = window.gather([view], from: prepared.voxels, extent: prepared.extent, on: cpu)
                let maps = network.maps(of: patch, in: .inference)
                if index == 0, let bottleneck = maps.last {
                    let mean = scale(spatialSums(bottleneck), by: 1 / Float(bottleneck.shape.extent.volume)).scalars
                    features = features.isEmpty ? mean : zip(features, mean).map { $0 + $1 }
                }
                let logits = network.decoder(maps, outputs: 1, in: .training)[0]
                let gradients = predictedLabelLoss(logits).backward()
                let values = head.namedParameters.flatMap { (gradients[$0.parameter]?.scalars ?? []).map(Double.init) }
                slope = slope.isEmpty ? values : zip(slope, values).map { $0 + $1 }
            }
            norms += slope.reduce(0) { $0 + $1 * $1 } / Double(views.count * views.count)
        }
        return (norms / Double(models.count), features.map { $0 / Float(max(1, views.count)) })
    }

    /// The cross-entropy of logits with the labels that they predict.
    private func predictedLabelLoss(_ logits: Tensor) -> Tensor {
        let channels = logits.shape.channels
        guard !areRegions else {
            // Of each region the label nearest to its probability: a teacher that is sure.
            let sure = Tensor(logits.scalars.map { $0 > 0 ? 1 : 0 }, shape: logits.shape, on: cpu)
            return distillation(logits, target: sure, temperature: 1, areRegions: true)
        }
        let labels = logits.withScalars { values in
            (0..<values.count / channels).map { voxel in
                Int32(
                    (0..<channels).reduce(0) { values[voxel * channels + $1] > values[voxel * channels + $0] ? $1 : $0 }
                )
            }
        }
        return crossEntropy(
            logits, labels: LabelMap(samples: logits.shape.samples, extent: logits.shape.extent, labels: labels))
    }
}
