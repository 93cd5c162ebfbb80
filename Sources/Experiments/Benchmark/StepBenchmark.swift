import Foundation
import Networks
import Pretraining
import Tensors
import Training

/// Times the steps that a user waits for, on random input: the same networks, patches, batches, optimizer and clipping
/// as the field's PyTorch code is timed with, so that the two can be divided.
public struct StepBenchmark: Sendable {
    /// What is timed.
    public enum Case: String, CaseIterable, Sendable {
        /// A supervised step: ResEnc U-Net of four stages, cross-entropy over 3 classes, batch 2, 40x56x40.
        case finetune
        /// A masked step: Spark3D on ResEnc-L.
        case s3d
        /// A dense auto-encoding step on ResEnc-L.
        case mae
        /// A step of ResEnc-L's encoder alone, on visible blocks.
        case encoder
        /// The forward pass through ResEnc-L.
        case predict
    }

    /// The result, under the keys that the peer's script prints.
    public struct Result: Codable, Sendable {
        /// The case's name.
        public var `case`: String
        /// Element type of convolution operands.
        public var precision: String
        /// Memory layout of feature maps.
        public var layout: String
        /// Median over the runs.
        public var seconds: Double
        /// Seconds of each run, in order.
        public var all: [Double]
        /// Of these, what clipping and the update of the weights took, whatever is visible: median over the runs.
        public var updateSeconds: Double
        /// Peak resident memory of the process in GB.
        public var peakGB: Double
        /// The most that tensors and kernels held at one time in GB.
        public var heldGB: Double
        /// Threads that computed.
        public var threads: Int
        /// The kernel set.
        public var kernels: String

        enum CodingKeys: String, CodingKey {
            case `case`, precision, layout, seconds, all, threads, kernels
            case updateSeconds = "update_seconds"
            case peakGB = "peak_gb"
            case heldGB = "held_gb"
        }
    }

    /// What is timed.
    public var benchmark: Case
    /// Edge of the cubic patch of all cases but `finetune`, in voxels; a multiple of 32.
    public var patchEdge = 96
    /// Patches per step of all cases but `finetune`.
    public var samples = 1
    /// Share of visible blocks, `s3d` and `encoder` only.
    public var visibleShare = 0.25
    /// Timed runs after one that is not.
    public var runs = 3
    /// Whether to keep less and compute it again for the gradients.
    public var recomputes = false

    /// A benchmark with the peer's defaults.
    public init(_ benchmark: Case) { self.benchmark = benchmark }

    /// Runs the case on `cpu`.
    /// - Throws: ``NetworkPlanError`` if the patch does not fit the network.
    public func run(on cpu: CPU) throws -> Result {
        let step = try makeStep(on: cpu)
        _ = step()
        var updates: [Double] = []
        let seconds = (0..<runs).map { _ in
            let start = ContinuousClock.now
            updates.append(step())
            return (ContinuousClock.now - start) / .seconds(1)
        }
        return Result(
            case: benchmark.rawValue, precision: cpu.precision.rawValue, layout: "channels_last",
            seconds: seconds.sorted()[seconds.count / 2], all: seconds,
            updateSeconds: updates.sorted()[updates.count / 2], peakGB: peakResidentGB(),
            heldGB: Double(cpu.takePeakBytes()) / 1e9, threads: cpu.threads, kernels: cpu.kernelSet.description)
    }

    private var phase: Phase { recomputes ? .recomputing : .training }

    /// A step, which returns the seconds of its update.
    private func makeStep(on cpu: CPU) throws -> () -> Double {
        if benchmark == .finetune {
            let network = try UNet(NetworkPreset.s.plan(outputChannels: 3), on: cpu)
            let extent = Extent3(depth: 40, height: 56, width: 40)
            Initializer.he.initialize(network, seed: 0)
            let x = noise(samples: 2, extent: extent, on: cpu)
            var draws = Draws(seed: 0, purpose: "benchmark labels")
            let labels = LabelMap(
                samples: 2, extent: extent, labels: (0..<2 * extent.volume).map { _ in Int32(draws.integer(in: 0..<3)) }
            )
            return training(network) { crossEntropy(network(x, in: phase)[0], labels: labels).backward() }
        }
        let unet = try UNet(NetworkPreset.l.plan(outputChannels: 1), on: cpu)
        let extent = Extent3(patchEdge)
        try unet.plan.check(extent: extent)
        let x = noise(samples: samples, extent: extent, on: cpu)
        let mask = BlockMask.random(
            samples: samples, grid: extent.zipped(with: unet.plan.totalStride, /), visibleShare: visibleShare)
        switch benchmark {
        case .encoder:
            Initializer.he.initialize(unet.encoder, seed: 0)
            return training(unet.encoder) {
                // The gradient of half the squares: nothing is computed but the encoder.
                let maps = unet.encoder(visibleShare < 1 ? hide(x, mask) : x, in: phase)
                return Tensor.backward(from: maps.map { ($0, $0.detached) })
            }
        case .s3d:
            let network = Spark3DNetwork(unet, on: cpu)
            network.initialize(.he, seed: 0)
            return training(network) {
                hiddenSquaredError(network(x, mask: mask, in: phase), target: x, mask: mask).backward()
            }
        case .mae:
            Initializer.he.initialize(unet, seed: 0)
            return training(unet) { squaredError(unet(x, in: phase)[0], target: x).backward() }
        case .predict, .finetune:
            Initializer.he.initialize(unet, seed: 0)
            return {
                _ = unet(x, in: .inference)
                return 0
            }
        }
    }

    /// Forward and backward pass, then clipping and update.
    private func training(_ network: any Module, _ passes: @escaping () -> Gradients) -> () -> Double {
        var optimizer = Optimizer(SGD())
        return {
            let gradients = passes()
            let start = ContinuousClock.now
            let parameters = network.namedParameters
            let norm = gradients.norm(over: parameters.map(\.parameter))
            optimizer.step(
                parameters, gradients: gradients, learningRate: 1e-2,
                gradientScale: Gradients.clippingScale(norm: norm, limit: 12))
            return (ContinuousClock.now - start) / .seconds(1)
        }
    }

    private func noise(samples: Int, extent: Extent3, on cpu: CPU) -> Tensor {
        var draws = Draws(seed: 0, purpose: "benchmark input")
        let shape = Shape(samples: samples, extent: extent, channels: 1)
        return Tensor((0..<shape.count).map { _ in Float(draws.normal()) }, shape: shape, on: cpu)
    }
}
