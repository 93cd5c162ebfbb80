import Evaluation
import Testing

@Suite("Rankings")
struct RankingTests {
    @Test("the largest value is first, ties share their mean rank")
    func ranks() {
        #expect(Ranking.ranks(of: [0.5, 0.9, 0.5, 0.1]) == [2.5, 1, 2.5, 4])
        #expect(Ranking.ranks(of: [3]) == [1])
    }

    @Test("ranks are averaged over datasets, and over cases where asked for")
    func means() {
        // On the first dataset A is better by a wide margin in one case of three; on the second B is better.
        let ranking = Ranking(
            methods: ["A", "B"], scores: [[[0.9, 0.5, 0.5], [0.1, 0.6, 0.6]], [[0.2, 0.2], [0.3, 0.3]]])
        #expect(ranking.ranks(onDataset: 0) == [1, 2])
        #expect(ranking.meanRanks == [1.5, 1.5])
        let first = (1.0 + 2 + 2) / 3
        #expect(ranking.meanCaseRanks == [(first + 2) / 2, (3 - first + 1) / 2])
    }

    @Test("cases without a number for every method are left out")
    func leftOut() {
        let ranking = Ranking(methods: ["A", "B"], scores: [[[0.9, .nan], [0.1, 0.9]], [[.nan], [1]]])
        #expect(ranking.scores == [[[0.9], [0.1]]])
    }

    @Test(
        "Kendall's tau-b is SciPy's",
        arguments: [
            ([1, 2, 3, 4], [1, 2, 3, 4], 1), ([1, 2, 3, 4], [4, 3, 2, 1], -1),
            // scipy.stats.kendalltau([1, 2, 3, 4, 5], [3, 1, 2, 5, 4])
            ([1, 2, 3, 4, 5], [3, 1, 2, 5, 4], 0.4),
            // scipy.stats.kendalltau([1, 2.5, 2.5, 4], [1, 2, 3, 4])
            ([1, 2.5, 2.5, 4], [1, 2, 3, 4], 0.912870929175277),
        ] as [([Double], [Double], Double)])
    func kendall(first: [Double], second: [Double], expected: Double) {
        #expect(abs(Ranking.kendallTau(first, second) - expected) < 1e-12)
    }

    @Test("one method is always first; equal methods are tied in every repetition")
    func degenerate() throws {
        let one = try #require(RankStability(Ranking(methods: ["A"], scores: [[[0.1, 0.7]]]), repetitions: 50))
        #expect(one.methods[0].placeShares.map { ($0 * 1e9).rounded() } == [1e9])
        #expect(one.methods[0].interval == Interval(lower: 1, upper: 1))
        let row = [0.3, 0.8, 0.4]
        let tied = try #require(RankStability(Ranking(methods: ["A", "B"], scores: [[row, row]]), repetitions: 50))
        for method in tied.methods {
            #expect(method.rank == 1.5)
            #expect(abs(method.probabilityOfBest - 0.5) < 1e-9)
        }
        #expect(tied.kendallTau == nil)
        #expect(RankStability(Ranking(methods: ["A"], scores: [[[.nan]]])) == nil)
    }

    @Test("the share of first places is the probability that a draw of cases gives")
    func probability() throws {
        // A is first unless the case in which it fails is drawn twice: 1 - 1/4 with ties impossible.
        let ranking = Ranking(methods: ["A", "B"], scores: [[[1, 0], [0, 0.9]]])
        let stability = try #require(RankStability(ranking, repetitions: 4000))
        #expect(abs(stability.methods[0].probabilityOfBest - 0.75) < 0.03)
        #expect(abs(stability.methods[1].placeShares[1] - 0.75) < 0.03)
        #expect(stability == RankStability(ranking, repetitions: 4000))
    }
}
