import Foundation
import Segmentation
import Tensors
import Testing

struct EnsembleWeightsTests {
    private typealias Evidence = EnsembleWeights.Evidence

    /// Probabilities of a good and a bad model for a reference.
    private func evidence(_ seed: UInt64, skills: [Double]) -> Evidence {
        var draws = Draws(seed: seed, purpose: "test")
        let reference = (0..<200).map { _ in draws.chance(0.3) }
        let maps = skills.map { skill in
            reference.map { Float(skill * ($0 ? 1 : 0) + (1 - skill) * draws.uniform()) }
        }
        return Evidence(probabilities: maps, channels: 1) { voxel, _ in reference[voxel] }
    }

    @Test func theBetterModelCountsMore() {
        let cases = (0..<6).map { evidence($0, skills: [0.9, 0.2, 0.2]) }
        let held = (6..<9).map { evidence($0, skills: [0.9, 0.2, 0.2]) }
        let learned = EnsembleWeights.learned(on: cases, checkedOn: held)
        #expect(learned.weights[0][0] > 0.8)
        #expect(abs(learned.weights.reduce(0) { $0 + $1[0] } - 1) < 1e-9)
        let average = EnsembleWeights(averaging: 3, channels: 1)
        #expect(learned.loss(on: held) < average.loss(on: held))
        // A strong penalty holds the weights near the average.
        let held9 = EnsembleWeights.learned(on: cases, checkedOn: [], penalty: 100)
        #expect(abs(held9.weights[0][0] - 1.0 / 3) < 0.02)
    }

    @Test func whatDoesNotHelpElsewhereIsNotTaken() {
        let cases = (0..<4).map { evidence($0, skills: [0.9, 0.2]) }
        let reversed = (0..<4).map { evidence($0, skills: [0.2, 0.9]) }
        #expect(
            EnsembleWeights.learned(on: cases, checkedOn: reversed) == EnsembleWeights(averaging: 2, channels: 1))
    }

    @Test func equalModelsMakeAnyWeightsEqual() {
        let one = evidence(1, skills: [0.5])
        let twice = Evidence(
            overlap: [one.overlap[0], one.overlap[0]], predicted: [one.predicted[0], one.predicted[0]],
            expected: one.expected)
        let losses = [[[0.1], [0.9]], [[0.5], [0.5]]].map { EnsembleWeights($0).loss(on: [twice]) }
        #expect(abs(losses[0] - losses[1]) < 1e-12)
    }

    /// The sums and the loss from their definition.
    @Test func theLossIsOneMinusDice() {
        let evidence = Evidence(probabilities: [[1, 0.5, 0], [0, 0.5, 1]], channels: 1) { voxel, _ in voxel == 0 }
        #expect(evidence.overlap == [[1], [0]] && evidence.predicted == [[1.5], [1.5]] && evidence.expected == [1])
        let loss = EnsembleWeights([[1], [0]]).loss(on: [evidence])
        #expect(abs(loss - (1 - 2 / 2.5)) < 1e-5)
    }

    @Test func theMajorityDecidesAndTiesGoToTheMean() {
        let maps: [[Int16]] = [[1, 1, 0, 2], [1, 2, 1, 1], [0, 0, 2, 0]]
        #expect(ModelMixture.majority(maps, mean: [0, 2, 1, 3]) == [1, 2, 1, 0])
        #expect(ModelMixture.majority([[1, 2]], mean: [0, 0]) == [1, 2])
    }
}
