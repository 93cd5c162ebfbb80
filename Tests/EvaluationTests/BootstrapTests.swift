import Evaluation
import Testing

@Suite("Bootstrap")
struct BootstrapTests {
    // v = [((i * 29) % 40) / 40 - 0.35 for i in range(40)]; NumPy, 100000 repetitions:
    // np.percentile(v[rng.integers(0, 40, (B, 40))].mean(1), [2.5, 97.5]) = [0.0488, 0.2269]
    let differences = (0..<40).map { Double($0 * 29 % 40) / 40 - 0.35 }

    @Test("agrees with NumPy on the interval of a mean")
    func meanInterval() throws {
        let interval = try #require(Bootstrap().interval(ofMean: differences))
        #expect(abs(interval.lower - 0.0488) < 0.004)
        #expect(abs(interval.upper - 0.2269) < 0.004)
    }

    @Test("repeats itself for a seed and differs between seeds")
    func seeded() {
        let bootstrap = Bootstrap(repetitions: 500)
        #expect(bootstrap.interval(ofMean: differences) == bootstrap.interval(ofMean: differences))
        #expect(
            bootstrap.interval(ofMean: differences)
                != Bootstrap(repetitions: 500, seed: 1).interval(ofMean: differences))
    }

    @Test("has no width without variation and leaves NaN out")
    func constant() throws {
        let interval = try #require(Bootstrap(repetitions: 50).interval(ofMean: [0.25, .nan, 0.25, 0.25]))
        #expect(interval == Interval(lower: 0.25, upper: 0.25))
        #expect(Bootstrap(repetitions: 50).interval(ofMean: [.nan]) == nil)
        #expect(Bootstrap(repetitions: 50).interval(ofMean: []) == nil)
    }

    @Test("narrows with less confidence")
    func confidence() throws {
        let wide = try #require(Bootstrap(confidence: 0.99).interval(ofMean: differences))
        let narrow = try #require(Bootstrap(confidence: 0.5).interval(ofMean: differences))
        #expect(wide.lower < narrow.lower && narrow.upper < wide.upper)
    }

    /// Scores that depend on the run alone: drawing cases only must not see it, drawing runs must.
    @Test("draws whole runs only when told to")
    func runsAndCases() throws {
        let scores = [0.2, 0.4, 0.9]
        func mean(_ weights: Bootstrap.Weights) -> Double {
            var sum = 0.0
            for run in 0..<3 { for item in 0..<10 { sum += weights.runs[run] * weights.cases[item] * scores[run] } }
            return sum / 30
        }
        let given = try #require(Bootstrap(resampling: .cases).interval(runs: 3, cases: 10, of: mean))
        #expect(abs(given.lower - 0.5) < 1e-12 && abs(given.upper - 0.5) < 1e-12)
        // Of the 27 equally likely draws of three runs one is all-lowest and one all-highest, more than 2.5 % each; for
        // three runs the deviation from the mean, 0.5, is spread by √(3/2).
        let spread = 1.5.squareRoot()
        let drawn = try #require(Bootstrap().interval(runs: 3, cases: 10, of: mean))
        #expect(abs(drawn.lower - (0.5 - 0.3 * spread)) < 1e-12)
        #expect(abs(drawn.upper - (0.5 + 0.4 * spread)) < 1e-12)
    }

    /// The variance of the mean of two runs a and b is ((a − b) / 2)²: what √2·(a − b)/2, 0 and −√2·(a − b)/2 give with
    /// probabilities 1/4, 1/2 and 1/4. Plain drawing would give half of it.
    @Test("does not underestimate the variance between two runs")
    func twoRuns() throws {
        var means: [Double] = []
        _ = Bootstrap().interval(runs: 2, cases: 1) { weights in
            means.append((weights.runs[0] * 0.3 + weights.runs[1] * 0.5) / 2)
            return means.last!
        }
        #expect(abs(Scores(means).standardDeviation - 0.1) < 0.002)
    }

    /// An interval of 95 % must miss the truth in about 5 % of experiments; 200 experiments of 30 nearly normal scores.
    @Test("covers the true mean about as often as it says")
    func coverage() throws {
        var covered = 0
        for experiment in 0..<200 {
            // The sum of twelve uniform numbers, less six, is close to a standard normal one.
            var state = UInt64(experiment) &* 0x9E37_79B9_7F4A_7C15 | 1
            func uniform() -> Double {
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                return Double(state >> 11) * 0x1p-53
            }
            let scores = (0..<30).map { _ in (0..<12).reduce(0.0) { sum, _ in sum + uniform() } - 6 }
            let interval = try #require(Bootstrap(repetitions: 400).interval(ofMean: scores))
            if interval.contains(0) { covered += 1 }
        }
        #expect((176...198).contains(covered), "covered \(covered) of 200")
    }
}
