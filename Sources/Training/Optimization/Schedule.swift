import Foundation

/// Learning rates and what trains, step by step: a list of stages, one after the other.
///
/// Everything is data: a staged warm-up of a fine-tuning is three stages (decoder rising, all rising, all falling).
public struct Schedule: Hashable, Sendable {
    /// The stages in their order.
    public var stages: [Stage]
    /// The rate changes only every so many steps, at the beginning of what nnU-Net calls an epoch.
    public var stepsPerUpdate: Int

    /// A part of a training in which the rate follows one curve and the same parameters train.
    public struct Stage: Hashable, Sendable {
        /// The stage's name in logs.
        public var name: String
        /// The stage's length.
        public var steps: Int
        /// The rate's curve.
        public var shape: Shape
        /// The largest rate, which the curve is scaled by.
        public var peak: Double
        /// The parameters that train; all others are frozen.
        public var trains: TrainableParameters
        /// Whether the optimizer forgets what it remembers when the stage begins.
        public var renewsOptimizer: Bool
        /// Modules that learn faster or slower than the others.
        public var rates: [ModuleRate]

        /// A stage.
        public init(
            name: String = "main", steps: Int, shape: Shape, peak: Double, trains: TrainableParameters = .all,
            renewsOptimizer: Bool = false, rates: [ModuleRate] = []
        ) {
            (self.name, self.steps, self.shape, self.peak) = (name, steps, shape, peak)
            (self.trains, self.renewsOptimizer, self.rates) = (trains, renewsOptimizer, rates)
        }
    }

    /// The rate as a share of the peak, over a stage of `T` updates; `t` counts from 0.
    public enum Shape: Hashable, Sendable {
        /// `(t + 1) / T`.
        case warmUp
        /// `(1 − t/T)^exponent`.
        case poly(exponent: Double)
        /// `floor + (1 − floor) · (1 + cos(π·t/T)) / 2`.
        case cosine(floor: Double)
        /// `factor^k` after `k` of the drops, given as shares of the stage.
        case step(drops: [Double], factor: Double)
        /// 1.
        case constant

        func share(_ t: Double, of total: Double) -> Double {
            switch self {
            case .warmUp: (t + 1) / total
            case .poly(let exponent): pow(1 - t / total, exponent)
            case .cosine(let floor): floor + (1 - floor) * (1 + cos(.pi * t / total)) / 2
            case .step(let drops, let factor): pow(factor, Double(drops.count { $0 <= t / total }))
            case .constant: 1
            }
        }
    }

    /// A schedule of these stages. Empty stages are dropped.
    public init(_ stages: [Stage], stepsPerUpdate: Int = 1) {
        self.stages = stages.filter { $0.steps > 0 }
        self.stepsPerUpdate = max(1, stepsPerUpdate)
    }

    /// The number of steps of all stages.
    public var steps: Int { stages.map(\.steps).reduce(0, +) }

    /// The stage that a step belongs to, and the stage's first step; `nil` after the last stage.
    public func stage(at step: Int) -> (stage: Stage, start: Int)? {
        var start = 0
        for stage in stages {
            if step < start + stage.steps { return (stage, start) }
            start += stage.steps
        }
        return nil
    }

    /// The learning rate of a step; 0 after the last stage.
    public func learningRate(at step: Int) -> Double {
        guard let (stage, start) = stage(at: step) else { return 0 }
        let update = Double((step - start) / stepsPerUpdate)
        let updates = Double((stage.steps + stepsPerUpdate - 1) / stepsPerUpdate)
        return stage.peak * stage.shape.share(update, of: updates)
    }
}
