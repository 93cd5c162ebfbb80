import Foundation
import Networks
import Tensors
import Training

/// How long a step takes on several machines, each of which is a rank with one sample, and how much of that is waiting.
///
/// Computing goes on while earlier buckets travel. A bucket is ready when the backward pass has done its last layer; buckets
/// travel one after another:
///
///     message of S bytes among n ranks = 2 (n - 1) (latency + S / n / bandwidth) + S (n - 1) / n / summing
///     step = max(forward and backward, end of the last bucket) + update
///
/// Not in the model: ranks of unequal speed, other traffic on the network, reading images.
public struct ScalingModel: Sendable, Codable {
    /// Seconds for forward and backward pass of a sample on one machine.
    public var computeSeconds: Double
    /// Seconds for the optimizer's step on one machine.
    public var updateSeconds: Double
    /// Seconds before the first byte of a message arrives.
    public var latencySeconds = 50e-6
    /// Bytes per second that a machine sends while it receives as many: 10 Gbit/s Ethernet.
    public var bytesPerSecond = 1.25e9
    /// Bytes per second at which a core adds up what it has received.
    public var summedBytesPerSecond = 4e9
    /// The share of computing that is the forward pass.
    public var forwardShare = 1.0 / 3

    /// A model of machines that compute at this speed.
    public init(computeSeconds: Double, updateSeconds: Double) {
        (self.computeSeconds, self.updateSeconds) = (computeSeconds, updateSeconds)
    }

    /// What is predicted for some number of ranks.
    public struct Prediction: Sendable, Codable {
        /// `predicted`.
        public var `case` = "predicted"
        /// Machines, each with one sample.
        public var ranks: Int
        /// Of a step.
        public var seconds: Double
        /// Of a step, in which a machine waits for gradients.
        public var waitingSeconds: Double
        /// Samples per second and machine, as a share of those of one machine.
        public var efficiency: Double

        enum CodingKeys: String, CodingKey {
            case `case`, ranks, seconds, efficiency
            case waitingSeconds = "waiting_seconds"
        }
    }

    /// What the model assumes, as it is printed.
    enum CodingKeys: String, CodingKey {
        case computeSeconds = "compute_seconds"
        case updateSeconds = "update_seconds"
        case latencySeconds = "latency_seconds"
        case bytesPerSecond = "bytes_per_second"
        case summedBytesPerSecond = "summed_bytes_per_second"
        case forwardShare = "forward_share"
    }

    /// The step of a network on so many ranks.
    /// - Parameter buckets: see ``Bucket/list(of:extent:)``.
    public func prediction(_ buckets: [Bucket], ranks: Int) -> Prediction {
        let single = computeSeconds + updateSeconds
        guard ranks > 1 else { return Prediction(ranks: 1, seconds: single, waitingSeconds: 0, efficiency: 1) }
        var free = 0.0
        for bucket in buckets {
            let ready = computeSeconds * (forwardShare + (1 - forwardShare) * bucket.ready)
            free = max(free, ready) + messageSeconds(bytes: Double(4 * bucket.parameters), ranks: Double(ranks))
        }
        let waiting = max(0, free - computeSeconds)
        return Prediction(
            ranks: ranks, seconds: single + waiting, waitingSeconds: waiting, efficiency: single / (single + waiting))
    }

    private func messageSeconds(bytes: Double, ranks n: Double) -> Double {
        2 * (n - 1) * (latencySeconds + bytes / n / bytesPerSecond) + bytes * (n - 1) / n / summedBytesPerSecond
    }

    /// Gradients that travel together.
    public struct Bucket: Sendable, Hashable {
        /// Numbers.
        public var parameters: Int
        /// The share of the backward pass after which all of them are known.
        public var ready: Double

        /// So many gradients that are known after a share of the backward pass.
        public init(parameters: Int, ready: Double) { (self.parameters, self.ready) = (parameters, ready) }

        /// The buckets of a U-Net, in the order in which they are sent. The work of a layer is its weights times the voxels
        /// of its stage.
        public static func list(of network: UNet, extent: Extent3) -> [Bucket] {
            let layers = network.namedParameters.map { name, parameter in
                let stage = Self.stage(of: name, stages: network.plan.stages)
                let voxels = network.plan.strides[...stage].reduce(extent) { $0.zipped(with: $1, /) }.volume
                let count = parameter.value.shape.count
                // The backward pass climbs down the decoder, then up the encoder.
                let isDecoder = name.hasPrefix("decoder")
                return (
                    count: count, work: Double(count * voxels),
                    turn: isDecoder ? stage : 2 * network.plan.stages - stage
                )
            }
            let total = layers.reduce(0) { $0 + $1.work }
            func ready(_ turn: Int) -> Double { layers.reduce(0) { $0 + ($1.turn <= turn ? $1.work : 0) } / total }
            let sent = Array(layers.reversed())
            return GradientBuckets.groups(sent.map { $0.count }).map { group in
                Bucket(
                    parameters: sent[group].reduce(0) { $0 + $1.count },
                    ready: ready(sent[group].map { $0.turn }.max() ?? 0))
            }
        }

        /// The resolution that a parameter works at, 0 the finest.
        private static func stage(of name: String, stages: Int) -> Int {
            let number = name.split(separator: ".").lazy.compactMap { Int($0) }.first ?? 0
            if name.hasPrefix("encoder.stem") { return 0 }
            return name.hasPrefix("encoder") ? number : stages - 2 - number
        }
    }
}
