import Foundation
import Tensors

/// How much each model of an ensemble counts for each class or region, learned on cases that no member was trained on.
public struct EnsembleWeights: Sendable, Hashable, Codable {
    /// `[model][channel]`: not negative, and of each channel the sum over models is 1.
    public let weights: [[Double]]

    /// Given weights.
    public init(_ weights: [[Double]]) { self.weights = weights }

    /// All models alike.
    public init(averaging models: Int, channels: Int) {
        weights = [[Double]](repeating: [Double](repeating: 1 / Double(models), count: channels), count: models)
    }

    /// What soft Dice needs to know of one case: for a weighted mean of probabilities `sum over m of w_m p_m` its sums are
    /// the weighted sums of those of each model.
    public struct Evidence: Sendable, Hashable {
        /// `sum of p g`, `[model][channel]`.
        public var overlap: [[Double]]
        /// `sum of p`, `[model][channel]`.
        public var predicted: [[Double]]
        /// `sum of g`, `[channel]`.
        public var expected: [Double]

        /// Sums of one case.
        public init(overlap: [[Double]], predicted: [[Double]], expected: [Double]) {
            (self.overlap, self.predicted, self.expected) = (overlap, predicted, expected)
        }

        /// The sums of one case.
        /// - Parameters:
        ///   - probabilities: `[K, D, H, W]` of each model.
        ///   - isInside: whether a voxel belongs to a channel.
        public init(probabilities: [[Float]], channels: Int, isInside: (_ voxel: Int, _ channel: Int) -> Bool) {
            let voxels = (probabilities.first?.count ?? 0) / max(1, channels)
            func sums(_ term: (Float, Bool) -> Double) -> [[Double]] {
                probabilities.map { model in
                    (0..<channels).map { channel in
                        (0..<voxels).reduce(0) { $0 + term(model[channel * voxels + $1], isInside($1, channel)) }
                    }
                }
            }
            self.init(
                overlap: sums { $1 ? Double($0) : 0 }, predicted: sums { value, _ in Double(value) },
                expected: (0..<channels).map { channel in
                    Double((0..<voxels).count { isInside($0, channel) })
                })
        }
    }

    /// The mean over cases and channels of 1 minus soft Dice, plus `penalty` times the squared distance from the average.
    public func loss(on cases: [Evidence], penalty: Double = 0) -> Double { lossAndSlopes(cases, penalty).loss }

    /// Learns weights by Adam on a softmax parametrization, from the plain average on. The best weights on the way are
    /// kept, so that the loss on `cases` is never above that of the average.
    /// - Parameters:
    ///   - held: other cases: where the weights are no better than the average there, the average is returned.
    ///   - penalty: how strongly weights are held near the average.
    public static func learned(
        on cases: [Evidence], checkedOn held: [Evidence], iterations: Int = 200, rate: Double = 0.05,
        penalty: Double = 0.01
    ) -> EnsembleWeights {
        guard let first = cases.first, let channels = first.overlap.first?.count else {
            return EnsembleWeights(averaging: 1, channels: 1)
        }
        let models = first.overlap.count
        let average = EnsembleWeights(averaging: models, channels: channels)
        var values = [Double](repeating: 0, count: models * channels)
        var (means, squares) = (values, values)
        var (best, bestLoss) = (average, average.loss(on: cases, penalty: penalty))
        for iteration in 1...max(1, iterations) {
            let weights = EnsembleWeights(softmaxOf: values, models: models, channels: channels)
            let (loss, slopes) = weights.lossAndSlopes(cases, penalty)
            if loss < bestLoss { (best, bestLoss) = (weights, loss) }
            for channel in 0..<channels {
                let mean = (0..<models).reduce(0) { $0 + weights.weights[$1][channel] * slopes[$1][channel] }
                for model in 0..<models {
                    let index = model * channels + channel
                    let slope = weights.weights[model][channel] * (slopes[model][channel] - mean)
                    means[index] = 0.9 * means[index] + 0.1 * slope
                    squares[index] = 0.999 * squares[index] + 0.001 * slope * slope
                    let corrected = means[index] / (1 - pow(0.9, Double(iteration)))
                    let root = (squares[index] / (1 - pow(0.999, Double(iteration)))).squareRoot()
                    values[index] -= rate * corrected / (root + 1e-8)
                }
            }
        }
        guard !held.isEmpty else { return best }
        return best.loss(on: held) < average.loss(on: held) ? best : average
    }

    private init(softmaxOf values: [Double], models: Int, channels: Int) {
        var weights = (0..<models).map { model in (0..<channels).map { exp(values[model * channels + $0]) } }
        for channel in 0..<channels {
            let total = weights.reduce(0) { $0 + $1[channel] }
            for model in 0..<models { weights[model][channel] /= total }
        }
        self.weights = weights
    }

    private func lossAndSlopes(_ cases: [Evidence], _ penalty: Double) -> (loss: Double, slopes: [[Double]]) {
        let (models, channels, smooth) = (weights.count, weights.first?.count ?? 0, 1e-5)
        var (loss, slopes) = (0.0, weights.map { $0.map { _ in 0.0 } })
        let share = 1 / Double(max(1, cases.count * channels))
        for item in cases {
            for channel in 0..<channels {
                func mixed(_ sums: [[Double]]) -> Double {
                    (0..<models).reduce(0) { $0 + weights[$1][channel] * sums[$1][channel] }
                }
                let numerator = 2 * mixed(item.overlap) + smooth
                let denominator = mixed(item.predicted) + item.expected[channel] + smooth
                loss += share * (1 - numerator / denominator)
                for model in 0..<models {
                    slopes[model][channel] -=
                        share
                        * (2 * item.overlap[model][channel] - numerator / denominator * item.predicted[model][channel])
                        / denominator
                }
            }
        }
        for model in 0..<models {
            for channel in 0..<channels {
                let distance = weights[model][channel] - 1 / Double(models)
                loss += penalty * distance * distance
                slopes[model][channel] += 2 * penalty * distance
            }
        }
        return (loss, slopes)
    }
}
