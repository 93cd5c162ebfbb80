import Foundation
import Networks
import Pretraining
import Ranks
import Tensors
import Training
import WeightFiles

/// How well training spreads over ranks: measured on this machine's cores, predicted for a cluster.
public struct ScalingBenchmark: Sendable {
    /// A line of the result: ranks that share one machine's cores and one batch.
    public struct Measurement: Codable, Sendable {
        /// `measured`.
        public var `case` = "measured"
        /// Ranks, here threads of one process.
        public var ranks: Int
        /// Threads of each.
        public var threads: Int
        /// Samples of a step, of all ranks together.
        public var batch: Int
        /// Median seconds per step of the median round.
        public var seconds: Double
        /// The speed as a share of that of one rank with all threads in the same round; the median round.
        public var efficiency: Double
        /// Of all rounds.
        public var lowestEfficiency: Double
        /// Of all rounds.
        public var highestEfficiency: Double

        enum CodingKeys: String, CodingKey {
            case `case`, ranks, threads, batch, seconds, efficiency
            case lowestEfficiency = "lowest_efficiency"
            case highestEfficiency = "highest_efficiency"
        }
    }

    /// Timed steps of a round, after one that is not.
    public var runs = 3
    /// Rounds, at least one, in which every number of ranks has its turn: another user of the machine slows all of them alike.
    public var rounds = 3
    /// Edge of the cubic patch that ResEnc-L is timed with, in voxels; its time is scaled to ``predictedEdge``.
    public var patchEdge = 96
    /// Edge of the patch that is predicted.
    public var predictedEdge = 160

    /// A benchmark with these defaults.
    public init() {}

    /// Times the same steps on 1, 2, 4, ... ranks that share the cores: ResEnc U-Net of four stages, 40x56x40 voxels.
    /// - Throws: `NetworkPlanError`.
    public func measure(on cpu: CPU, report: (Measurement) throws -> Void) throws {
        precondition(rounds > 0, "no rounds to measure")
        let counts = [1, 2, 4, 8].filter { $0 <= cpu.threads }
        var seconds: [Int: [Double]] = [:]
        for round in 0..<rounds {
            for count in round.isMultiple(of: 2) ? counts : counts.reversed() {
                seconds[count, default: []].append(try step(ranks: count, batch: counts.last!, on: cpu))
            }
        }
        for count in counts {
            let efficiencies = zip(seconds[1]!, seconds[count]!).map { $0 / $1 }.sorted()
            try report(
                Measurement(
                    ranks: count, threads: cpu.threads / count, batch: counts.last!,
                    seconds: seconds[count]!.sorted()[rounds / 2], efficiency: efficiencies[rounds / 2],
                    lowestEfficiency: efficiencies.first!, highestEfficiency: efficiencies.last!))
        }
    }

    /// The seconds of a step on some ranks that share the cores.
    private func step(ranks count: Int, batch: Int, on cpu: CPU) throws -> Double {
        let (runs, threads) = (runs, cpu.threads / count)
        return try ThreadRanks.run(count) { ranks in
            let cpu = CPU(threads: threads, kernels: cpu.kernelSet, precision: cpu.precision)
            return try ScalingTask(samples: batch, on: cpu).median(of: runs, ranks)
        }.max() ?? 0
    }

    /// A model of machines like this one, and the buckets of ResEnc-L.
    /// - Throws: `NetworkPlanError`.
    public func model(on cpu: CPU) throws -> (model: ScalingModel, buckets: [ScalingModel.Bucket]) {
        let network = try UNet(NetworkPreset.l.plan(outputChannels: 1), on: cpu)
        Initializer.he.initialize(network, seed: 0)
        try network.plan.check(extent: Extent3(patchEdge))
        let x = Tensor(filledWith: 0.5, shape: Shape(samples: 1, extent: Extent3(patchEdge), channels: 1), on: cpu)
        var optimizer = Optimizer(SGD())
        let parameters = network.namedParameters
        let times = (0...runs).map { _ in
            let start = ContinuousClock.now
            let gradients = squaredError(network(x, in: .training)[0], target: x).backward()
            let computed = ContinuousClock.now
            let norm = gradients.norm(over: parameters.map(\.parameter))
            optimizer.step(
                parameters, gradients: gradients, learningRate: 1e-3,
                gradientScale: Gradients.clippingScale(norm: norm, limit: 12))
            return (compute: (computed - start) / .seconds(1), update: (ContinuousClock.now - computed) / .seconds(1))
        }.dropFirst()
        func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
        let growth = pow(Double(predictedEdge) / Double(patchEdge), 3)
        return (
            ScalingModel(
                computeSeconds: median(times.map(\.compute)) * growth, updateSeconds: median(times.map(\.update))),
            ScalingModel.Bucket.list(of: network, extent: Extent3(predictedEdge))
        )
    }
}

/// Segmenting noise, to be timed.
private struct ScalingTask: TrainingTask {
    struct Source: BatchSource {
        let samplesPerStep: Int
        func batch(step: Int, samples: Range<Int>) -> Int { samples.count }
    }

    let unet: UNet
    let batches: Source
    let cpu: CPU
    static let extent = Extent3(depth: 40, height: 56, width: 40)

    init(samples: Int, on cpu: CPU) throws {
        unet = try UNet(NetworkPreset.s.plan(outputChannels: 3), on: cpu)
        Initializer.he.initialize(unet, seed: 0)
        (batches, self.cpu) = (Source(samplesPerStep: samples), cpu)
    }

    var network: any Module { unet }
    var undividedBecause: String? { nil }
    var card: TransferCard {
        TransferCard(
            architecture: unet.plan, method: "benchmark", patch: Self.extent, spacingMM: [1, 1, 1],
            normalization: ["none"])
    }

    func loss(_ samples: Int, step: Int) -> StepLoss {
        var draws = Draws(seed: 0, purpose: "benchmark input", step: step)
        let shape = Shape(samples: samples, extent: Self.extent, channels: 1)
        let x = Tensor((0..<shape.count).map { _ in Float(draws.uniform()) }, shape: shape, on: cpu)
        let labels = LabelMap(
            samples: samples, extent: Self.extent, labels: x.withScalars { $0.map { Int32($0 * 2.999) } })
        return StepLoss(total: crossEntropy(unet(x, in: .training)[0], labels: labels))
    }

    /// The median time of a step, of some after one that does not count.
    func median(of runs: Int, _ ranks: any Communicator) throws -> Double {
        let (parameters, divided) = (unet.namedParameters, try DividedStep(self, microBatch: nil, ranks: ranks))
        var optimizer = Optimizer(SGD())
        let seconds = try (0...runs).map { step in
            ranks.wait()
            let start = ContinuousClock.now
            let batches = divided.division.parts.map { self.batches.batch(step: step, samples: $0) }
            let outcome = try divided.compute(
                batches, step: step, parameters: parameters.map(\.parameter), isInterrupted: false)
            optimizer.step(parameters, gradients: outcome.gradients, learningRate: 1e-3)
            return (ContinuousClock.now - start) / .seconds(1)
        }
        return seconds.dropFirst().sorted()[runs / 2]
    }
}
