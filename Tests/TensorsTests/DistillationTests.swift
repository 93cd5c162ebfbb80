import Foundation
import Tensors
import Testing

struct DistillationTests {
    private let cpu = CPU(threads: 2)

    @Test func nothingIsToBeLearnedFromEqualLogits() {
        let logits = Tensor((0..<24).map { Float($0 * 7 % 11) - 5 }, shape: [2, 1, 2, 2, 3], on: cpu)
        for temperature in [1.0, 2, 5] {
            let softened = scale(logits, by: Float(1 / temperature))
            #expect(abs(distillation(logits, target: softmax(softened), temperature: temperature).item) < 1e-6)
            let regions = distillation(
                logits, target: sigmoid(softened), temperature: temperature, areRegions: true)
            #expect(abs(regions.item) < 1e-6)
        }
    }

    /// Two voxels of two classes, by hand: T = 2, logits (0, 2 ln 3) give (1/4, 3/4), the target is (1/2, 1/2).
    @Test func matchesTheFormula() {
        let three = Float(2 * log(3.0))
        let logits = Tensor([0, three, 0, 0], shape: [1, 1, 1, 2, 2], on: cpu)
        let target = Tensor([0.5, 0.5, 0.5, 0.5], shape: [1, 1, 1, 2, 2], on: cpu)
        let divergence = 0.5 * log(0.5 / 0.25) + 0.5 * log(0.5 / 0.75)
        #expect(abs(Double(distillation(logits, target: target, temperature: 2).item) - 4 * divergence / 2) < 1e-6)
        // As coins: (1/2 against 1/2) and (1/2 against 3/4), whose divergence is that of the pair above.
        let coins = distillation(logits, target: target, temperature: 2, areRegions: true)
        #expect(abs(Double(coins.item) - 4 * divergence / 2) < 1e-6)
        // A certain teacher: no logarithm of zero.
        let certain = Tensor([1, 0, 0, 1], shape: [1, 1, 1, 2, 2], on: cpu)
        let expected = 4 * (-log(0.25) - log(0.5)) / 2
        #expect(abs(Double(distillation(logits, target: certain, temperature: 2).item) - expected) < 1e-6)
    }
}
