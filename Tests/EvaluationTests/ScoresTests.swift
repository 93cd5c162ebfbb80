import Evaluation
import Testing

@Suite("Scores")
struct ScoresTests {
    // numpy 2.4: np.mean(x), np.std(x, ddof=1), np.percentile(x, p) of the numbers below.
    let scores = Scores([3.1, 1.2, .nan, 5.6, 2.2, 9.9, .nan, 4.4, 0.5])

    @Test("leave out and count what is not a number")
    func leavesOutNaN() {
        #expect(scores.values == [3.1, 1.2, 5.6, 2.2, 9.9, 4.4, 0.5])
        #expect(scores.leftOut == 2)
    }

    @Test("have NumPy's mean and sample standard deviation")
    func moments() {
        #expect(abs(scores.mean - 3.8428571428571425) < 1e-14)
        #expect(abs(scores.standardDeviation - 3.2014877493946168) < 1e-14)
    }

    @Test(
        "have NumPy's percentiles",
        arguments: [(0, 0.5), (2.5, 0.605), (25, 1.7), (50, 3.1), (90, 7.32), (100, 9.9)] as [(Double, Double)])
    func percentiles(percent: Double, expected: Double) {
        #expect(abs(scores.percentile(percent) - expected) < 1e-12)
    }

    @Test("without numbers have no mean, no spread, no percentile")
    func empty() {
        let none = Scores([Double.nan])
        #expect(none.mean.isNaN && none.standardDeviation.isNaN && none.median.isNaN)
        #expect(Scores([0.7]).mean == 0.7)
        #expect(Scores([0.7]).standardDeviation.isNaN)
    }
}
