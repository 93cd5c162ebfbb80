import Evaluation
import Foundation
import Tensors
import Testing

struct ClassificationScoresTests {
    @Test(
        "the area of known rankings",
        arguments: [
            ([0.1, 0.2, 0.8, 0.9], [false, false, true, true], 1.0),
            ([0.9, 0.8, 0.2, 0.1], [false, false, true, true], 0),
            ([0.5, 0.5, 0.5], [true, false, false], 0.5),
            // Three of the four pairs are in order.
            ([0.1, 0.4, 0.35, 0.8], [false, false, true, true], 0.75),
            // One pair in order, one tied.
            ([0.3, 0.7, 0.7], [false, false, true], 0.75),
        ] as [([Double], [Bool], Double)])
    func area(scores: [Double], isPositive: [Bool], expected: Double) throws {
        #expect(try #require(AreaUnderCurve(scores: scores, isPositive: isPositive)).value == expected)
    }

    @Test func theAreaIsTheShareOfPairsInOrder() throws {
        var draws = Draws(seed: 1, purpose: "test")
        let scores = (0..<60).map { _ in Double(draws.integer(in: 0..<12)) }
        let isPositive = (0..<60).map { _ in draws.chance(0.3) }
        var (sum, pairs) = (0.0, 0.0)
        for first in scores.indices where isPositive[first] {
            for second in scores.indices where !isPositive[second] {
                sum += scores[first] > scores[second] ? 1 : scores[first] == scores[second] ? 0.5 : 0
                pairs += 1
            }
        }
        let area = try #require(AreaUnderCurve(scores: scores, isPositive: isPositive))
        #expect(abs(area.value - sum / pairs) < 1e-12)
        // Monotone changes of the scores change nothing.
        #expect(AreaUnderCurve(scores: scores.map(exp), isPositive: isPositive)?.value == area.value)
    }

    @Test func oneKindOfCasesHasNoArea() {
        #expect(AreaUnderCurve(scores: [1, 2], isPositive: [true, true]) == nil)
        #expect(AreaUnderCurve(scores: [], isPositive: []) == nil)
    }

    /// Newcombe 1998, "Two-sided confidence intervals for the single proportion", Table I, method 3.
    @Test(
        "Wilson's intervals are the published ones",
        arguments: [
            (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611), (1, 29, 0.0061, 0.1718),
        ])
    func wilson(successes: Int, count: Int, lower: Double, upper: Double) throws {
        let interval = try #require(Proportion(successes, of: count).interval)
        #expect(abs(interval.lower - lower) < 5e-5 && abs(interval.upper - upper) < 5e-5)
    }

    /// With one case of each kind the area is one coin, and the interval Wilson's.
    @Test func theIntervalOfOnePairIsWilsons() throws {
        let area = try #require(AreaUnderCurve(scores: [0, 1], isPositive: [false, true])).interval
        let wilson = try #require(Proportion(1, of: 1).interval)
        #expect(abs(area.lower - wilson.lower) < 1e-9 && area.upper == 1)
    }

    @Test func theIntervalOfAnAreaHoldsItNarrowsAndMirrors() throws {
        func area(_ count: Int, reversed: Bool = false) throws -> AreaUnderCurve {
            // In order but for every fifth case.
            let isPositive = (0..<count).map { ($0 * 2 < count) != ($0 % 5 == 0) }
            return try #require(
                AreaUnderCurve(
                    scores: (0..<count).map { Double(reversed ? $0 : -$0) }, isPositive: isPositive))
        }
        let (small, large) = (try area(20), try area(200))
        for item in [small, large] { #expect(item.interval.contains(item.value) && item.interval.upper < 1) }
        #expect(large.interval.upper - large.interval.lower < (small.interval.upper - small.interval.lower) / 2)
        let mirrored = try area(20, reversed: true).interval
        #expect(abs(mirrored.lower - (1 - small.interval.upper)) < 1e-9)
        #expect(abs(mirrored.upper - (1 - small.interval.lower)) < 1e-9)
    }

    @Test func scoresCountByClass() throws {
        func image(_ reference: Int, _ probabilities: [Double]) -> ClassifiedImage {
            ClassifiedImage(name: "", reference: reference, probabilities: probabilities)
        }
        let scores = ClassificationScores(
            classes: ["a", "b", "c"],
            images: [
                image(0, [0.7, 0.2, 0.1]), image(0, [0.4, 0.5, 0.1]), image(1, [0.1, 0.8, 0.1]),
                ClassifiedImage(name: "unknown", probabilities: [1, 0, 0]),
            ])
        #expect(scores.accuracy == Proportion(2, of: 3) && scores.sensitivity(ofClass: 0) == Proportion(1, of: 2))
        #expect(scores.area(ofClass: 0)?.value == 1 && scores.area(ofClass: 1)?.value == 1)
        #expect(scores.area(ofClass: 2) == nil && scores.meanArea == 1)
        let json = try #require(
            try JSONSerialization.jsonObject(with: scores.encoded()) as? [String: Any])
        #expect((json["cases"] as? [Any])?.count == 3 && json["mean_auc"] as? Double == 1)
    }
}
