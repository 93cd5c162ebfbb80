import Foundation
import Segmentation
import Tensors
import Testing

struct LossTests {
    private let cpu = CPU(threads: 2)
    private let shape: Shape = [2, 4, 2, 6, 3]

    private var labels: LabelMap {
        LabelMap(samples: 2, extent: shape.extent, labels: (0..<96).map { Int32(($0 * 7 + $0 / 5) % 3) })
    }

    /// Logits that put all probability on the labels.
    private func certain() -> Tensor {
        let scalars = labels.labels.flatMap { label in (0..<3).map { Float($0 == Int(label) ? 60 : -60) } }
        return Tensor(scalars, shape: shape, on: cpu)
    }

    private func random(_ shape: Shape, _ seed: UInt64) -> Tensor {
        var draws = Draws(seed: seed, purpose: "test")
        return Tensor((0..<shape.count).map { _ in Float(draws.normal()) }, shape: shape, on: cpu)
    }

    @Test func certaintyIsBestAndIndifferenceCostsItsEntropy() {
        let terms = DiceCrossEntropy().terms(certain(), labels: labels, progress: 0)
        #expect(terms.map(\.name) == ["cross_entropy", "dice"])
        #expect(abs(terms[0].value.item) < 1e-6 && abs(terms[1].value.item + 1) < 1e-6)
        let indifferent = DiceCrossEntropy().terms(Tensor(zeros: shape, on: cpu), labels: labels, progress: 0)
        #expect(abs(Double(indifferent[0].value.item) - log(3)) < 1e-6)
    }

    @Test func weightsMultiplyTheTerms() {
        var loss = DiceCrossEntropy()
        (loss.crossEntropyWeight, loss.diceWeight) = (0.25, 3)
        let logits = random(shape, 1)
        let terms = DiceCrossEntropy().terms(logits, labels: labels, progress: 0).map { Double($0.value.item) }
        #expect(abs(Double(loss(logits, labels: labels).item) - (0.25 * terms[0] + 3 * terms[1])) < 1e-6)
    }

    @Test func ignoredVoxelsCountNowhere() {
        var loss = DiceCrossEntropy()
        loss.ignoredLabel = 7
        let hidden = LabelMap(
            samples: 2, extent: shape.extent,
            labels: labels.labels.enumerated().map { $0.offset % 4 == 0 ? 7 : $0.element })
        func value(_ seed: UInt64) -> Float {
            var logits = certain().scalars
            let other = random(shape, seed).scalars
            for voxel in stride(from: 0, to: 96, by: 4) {
                for c in 0..<3 { logits[3 * voxel + c] = other[3 * voxel + c] }
            }
            return loss(Tensor(logits, shape: shape, on: cpu), labels: hidden).item
        }
        #expect(value(1) == value(2))
    }

    @Test(
        "weights of nnU-Net's deep supervision",
        arguments: [
            (1, [1]), (2, [1, 0]), (3, [2.0 / 3, 1.0 / 3, 0]), (5, [8.0 / 15, 4.0 / 15, 2.0 / 15, 1.0 / 15, 0]),
        ]
            as [(Int, [Double])])
    func deepSupervisionWeights(outputs: Int, expected: [Double]) {
        let weights = DeepSupervision.weights(outputs: outputs)
        #expect(zip(weights, expected).allSatisfy { abs($0 - $1) < 1e-12 } && weights.count == outputs)
    }

    @Test func everyResolutionCountsWithItsWeightAndTheLastNotAtAll() throws {
        let outputs = [shape, [2, 2, 1, 3, 3], [2, 1, 1, 2, 3]].enumerated().map { random($1, UInt64($0)).tracked() }
        let loss = DiceCrossEntropy()
        let (total, terms) = DeepSupervision(loss)(outputs, labels: labels)
        let expected =
            2.0 / 3 * Double(loss(outputs[0], labels: labels).item)
            + 1.0 / 3 * Double(loss(outputs[1], labels: labels.downsampled(to: outputs[1].shape.extent)).item)
        #expect(abs(Double(total.item) - expected) < 1e-6)
        #expect(
            terms.map { $0.value.item } == loss.terms(outputs[0], labels: labels, progress: 1).map { $0.value.item })
        let gradients = total.backward()
        #expect(gradients[outputs[0]] != nil && gradients[outputs[1]] != nil && gradients[outputs[2]] == nil)
    }

    @Test func coarseLabelsAreThoseAtTheCentres() {
        let labels = LabelMap(
            samples: 2, extent: Extent3(depth: 1, height: 2, width: 7), labels: (0..<28).map(Int32.init))
        // Width 7 to 3: centres at 7/6, 7/2 and 35/6. Height 2 to 1: at 1.
        let coarse = labels.downsampled(to: Extent3(depth: 1, height: 1, width: 3))
        #expect(coarse.labels == [8, 10, 12, 22, 24, 26])
        #expect(labels.downsampled(to: labels.extent) == labels)
    }
}
