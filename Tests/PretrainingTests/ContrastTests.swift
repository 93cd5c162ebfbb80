import Foundation
import Networks
import Pretraining
import Tensors
import Testing
import Training
import Volumes

/// SimCLR and MoCo: closed forms of their losses, and what they remember.
struct ContrastTests {
    private let cpu = CPU(threads: 2)

    private func rows(_ count: Int, _ length: Int, seed: UInt64) -> Tensor {
        var draws = Draws(seed: seed, purpose: "test rows")
        return Tensor((0..<count * length).map { _ in Float(draws.normal()) }, shape: [count, length], on: cpu)
    }

    @Test func closedFormsOfNTXent() {
        let equal = Tensor(filledWith: 0.3, shape: [4, 5], on: cpu)
        #expect(abs(ntXent(equal, equal, temperature: 0.5).item - log(7)) < 1e-5)
        let (a, b) = (rows(3, 6, seed: 1), rows(3, 6, seed: 2))
        let loss = ntXent(a, b, temperature: 0.5).item
        #expect(abs(ntXent(b, a, temperature: 0.5).item - loss) < 1e-5)
        #expect(abs(ntXent(scale(a, by: 7), scale(b, by: 0.1), temperature: 0.5).item - loss) < 1e-5)
        func permuted(_ x: Tensor) -> Tensor {
            concatenate([2, 0, 1].map { slice(x, axis: 0, $0..<$0 + 1) }, axis: 0)
        }
        #expect(abs(ntXent(permuted(a), permuted(b), temperature: 0.5).item - loss) < 1e-5)
        #expect(abs(ntXent(rows(1, 6, seed: 3), rows(1, 6, seed: 4), temperature: 0.5).item) < 1e-6)
    }

    private func momentumContrast(momentum: Float, queue: Int = 4) -> MomentumContrast {
        let plan = NetworkPlan(inputChannels: 1, outputChannels: 1, features: [4, 6], blocks: [1, 1])
        func embedder() -> CropEmbedder { CropEmbedder(plan, head: [8, 3], isNormalized: false, on: cpu) }
        let query = embedder()
        Initializer.pytorchDefault.initialize(query, seed: 1)
        let keys = KeyEncoder(embedder(), following: query, momentum: momentum)
        return MomentumContrast(
            query, keys: keys, queue: KeyQueue(count: queue, length: 3, seed: 1), temperature: 0.2,
            isSymmetric: false, on: cpu)
    }

    private func values(_ network: CropEmbedder) -> [Float] { network.namedParameters.flatMap { $0.parameter.scalars } }

    @Test("the key encoder follows the query encoder", arguments: [Float(0), 0.25, 1])
    func follows(momentum: Float) {
        let learner = momentumContrast(momentum: momentum)
        let start = values(learner.query)
        #expect(values(learner.keys.network) == start, "it starts as a copy")
        for (_, parameter) in learner.query.namedParameters { parameter.scalars = parameter.scalars.map { $0 + 1 } }
        learner.keys.follow()
        let expected = start.map { momentum * $0 + (1 - momentum) * ($0 + 1) }
        #expect(zip(values(learner.keys.network), expected).allSatisfy { abs($0 - $1) < 1e-5 })
    }

    /// A perfect positive and a queue of vectors at right angles: `-1/t + ln(exp(1/t) + Q)`.
    @Test func closedFormOfTheQueueLoss() {
        let learner = momentumContrast(momentum: 1)
        let axis = Tensor([1, 0, 0, 1, 0, 0], shape: [2, 3], on: cpu)
        learner.queue.append(Tensor([0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, -1], shape: [4, 3], on: cpu))
        #expect(abs(learner.loss(query: axis, key: axis).item - (-5 + log(exp(5) + 4))) < 1e-5)
    }

    @Test func theQueueIsARing() {
        let queue = KeyQueue(count: 4, length: 2, seed: 1)
        let start = queue.tensor(on: cpu).scalars
        let lengths = (0..<4).map { key -> Float in
            start[2 * key] * start[2 * key] + start[2 * key + 1] * start[2 * key + 1]
        }
        #expect(lengths.allSatisfy { abs($0 - 1) < 1e-5 })
        queue.append(Tensor((1...6).map(Float.init), shape: [3, 2], on: cpu))
        #expect(queue.tensor(on: cpu).scalars == [1, 2, 3, 4, 5, 6] + start[6...] && queue.next == 3)
        queue.append(Tensor((7...10).map(Float.init), shape: [2, 2], on: cpu))
        #expect(queue.tensor(on: cpu).scalars == [9, 10, 3, 4, 5, 6, 7, 8] && queue.next == 1)
    }

    @Test func keysEnterTheQueueWhenTheirStepIsOver() throws {
        let learner = momentumContrast(momentum: 0.9)
        var draws = Draws(seed: 2, purpose: "test crops")
        let crops = (0..<4).map { _ in
            Patch(image: (0..<512).map { _ in Float(draws.normal()) }, channels: 1, labels: nil, extent: 8)
        }
        let batch = CropPairs.Batch(
            first: PatchBatch(Array(crops[..<2]), names: ["a", "b"]),
            second: PatchBatch(Array(crops[2...]), names: ["a", "b"]))
        let before = learner.queue.tensor(on: cpu).scalars
        let keys = unitRows(learner.keys.network(batch.second.input(on: cpu), in: .inference)).scalars
        let gradients = learner.loss(batch, in: .training).total.backward()
        #expect(learner.query.namedParameters.contains { gradients[$0.parameter] != nil })
        #expect(learner.keys.network.namedParameters.allSatisfy { gradients[$0.parameter] == nil })
        #expect(learner.queue.tensor(on: cpu).scalars == before)
        learner.didUpdate()
        #expect(learner.queue.tensor(on: cpu).scalars == keys + before[6...])
        _ = learner.loss(batch, in: .inference)
        learner.didUpdate()
        #expect(learner.queue.next == 2, "judging adds nothing")
    }

    @Test func cropsOfAPairOverlap() throws {
        let recipe = try RecipeDocument.parse("method: simclr\nplan: {patch: 32}\nviews: {overlap: 0.75}")
            .resolve(PretrainingRecipe.init(reading:)).0
        let pairs = try #require(recipe.method as? SimCLR).pairs
        #expect(pairs.volume == Extent3(depth: 96, height: 96, width: 32) && pairs.references == 2)
        var shifts: Set<Int> = []
        for step in 0..<300 {
            var draws = Draws(seed: 1, purpose: "test crops", step: step)
            let starts = pairs.starts(&draws)
            for axis in 0..<3 {
                let (first, second) = (starts.first[axis], starts.second[axis])
                #expect(min(first, second) >= 0 && max(first, second) <= pairs.volume[axis] - 32)
                shifts.insert(second - first)
            }
        }
        // Three quarters of 32 voxels are shared.
        #expect(shifts == Set(-8...8))
        #expect(throws: RecipeError.self) {
            _ = try RecipeDocument.parse("method: moco\nplan: {batch: 6}\ncontrast: {queue: 100}")
                .resolve(PretrainingRecipe.init(reading:))
        }
    }
}
