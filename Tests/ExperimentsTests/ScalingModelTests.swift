import Experiments
import Networks
import Tensors
import Testing

@Suite("Model of a step on several machines")
struct ScalingModelTests {
    /// Powers of two, so that closed forms are met to the bit: forward and backward take 4 s, the backward pass half of it.
    private var model: ScalingModel {
        var model = ScalingModel(computeSeconds: 4, updateSeconds: 1)
        (model.latencySeconds, model.bytesPerSecond, model.summedBytesPerSecond) = (0, 1024, .infinity)
        model.forwardShare = 0.5
        return model
    }

    private func bucket(bytes: Int, ready: Double) -> ScalingModel.Bucket {
        ScalingModel.Bucket(parameters: bytes / 4, ready: ready)
    }

    @Test("one machine waits for nobody")
    func alone() {
        let alone = model.prediction([bucket(bytes: 1 << 30, ready: 0)], ranks: 1)
        #expect(alone.ranks == 1 && alone.seconds == 5 && alone.waitingSeconds == 0 && alone.efficiency == 1)
    }

    /// A ring of n sends 2 (n - 1) pieces of S / n: what is ready last is waited for as a whole.
    @Test("the last message is waited for", arguments: [2, 4, 8, 64])
    func lastMessage(ranks: Int) {
        let found = model.prediction([bucket(bytes: 1024, ready: 1)], ranks: ranks)
        let waiting = 2 * Double(ranks - 1) / Double(ranks)
        #expect(abs(found.waitingSeconds - waiting) < 1e-12 && abs(found.seconds - (5 + waiting)) < 1e-12)
        #expect(abs(found.efficiency - 5 / (5 + waiting)) < 1e-12)
    }

    @Test("latency counts once for each of the 2 (n - 1) messages, sums once for each number received")
    func latency() {
        var model = model
        (model.latencySeconds, model.bytesPerSecond) = (0.125, .infinity)
        #expect(model.prediction([bucket(bytes: 1024, ready: 1)], ranks: 4).waitingSeconds == 6 * 0.125)
        (model.latencySeconds, model.summedBytesPerSecond) = (0, 1024)
        #expect(model.prediction([bucket(bytes: 1024, ready: 1)], ranks: 4).waitingSeconds == 0.75)
    }

    /// Two ranks send a bucket of 1024 bytes in 1 s. Ready at 2 and 3 s, both are gone at 4 s; ready at 2 s both, as well; three
    /// of them, ready at 3 s, end at 6 s.
    @Test("messages travel while computing goes on, one after another")
    func overlap() {
        func waiting(_ ready: [Double]) -> Double {
            model.prediction(ready.map { bucket(bytes: 1024, ready: $0) }, ranks: 2).waitingSeconds
        }
        #expect(waiting([0, 0.5]) == 0 && waiting([0, 0]) == 0)
        #expect(waiting([0.5, 0.5, 0.5]) == 2)
        #expect(waiting([0, 0, 0]) == 1, "from 2 s on, end at 5 s")
        #expect(waiting([0, 1]) == 1 && waiting([]) == 0)
    }

    @Test("a network's buckets hold each of its parameters once, and are ready one after another, the last at the end")
    func buckets() throws {
        let plan = NetworkPlan(
            inputChannels: 1, outputChannels: 3, features: [32, 64, 128, 256], strides: [1, 2, 2, 2],
            blocks: [1, 2, 2, 2])
        let network = try UNet(plan, on: CPU(threads: 1))
        let buckets = ScalingModel.Bucket.list(of: network, extent: 32)
        #expect(
            buckets.reduce(0) { $0 + $1.parameters }
                == network.namedParameters.reduce(0) { $0 + $1.parameter.value.shape.count })
        #expect(buckets.count > 2)
        #expect(zip(buckets, buckets.dropFirst()).allSatisfy { $0.ready <= $1.ready })
        #expect(buckets.allSatisfy { $0.ready > 0 } && abs((buckets.last?.ready ?? 0) - 1) < 1e-12)
    }
}
