import Evaluation
import Testing

@Suite("Paired tests")
struct PairedTestTests {
    let differences = [0.021, -0.004, 0.013, 0.008, 0.0, -0.011, 0.034, 0.002, 0.017, -0.006]

    @Test("sign flips: all positive leaves two of 2ⁿ patterns", arguments: 1...12)
    func allPositive(count: Int) {
        let values = (1...count).map { Double($0) / 100 }
        #expect(PairedTest.signFlip(values) == 2 / Double(1 << count))
    }

    /// itertools.product([1, -1], repeat=9) over the nine that are not zero: 72 of 512 patterns are as extreme.
    @Test("sign flips: exact for few differences")
    func exactSignFlip() {
        #expect(PairedTest.signFlip(differences) == 72.0 / 512)
        #expect(PairedTest.signFlip(differences + [.nan]) == 72.0 / 512)
        #expect(PairedTest.signFlip(differences.map { -$0 }) == 72.0 / 512)
    }

    /// With differences of ±1 the test is the binomial one: scipy's 2 * binom.cdf(180, 400, 0.5) = 0.0510.
    @Test("sign flips: drawn for many differences")
    func drawnSignFlip() {
        let values = (0..<400).map { $0 < 180 ? -1.0 : 1.0 }
        let p = PairedTest.signFlip(values)
        #expect(abs(p - 0.0510) < 0.006)
        #expect(p == PairedTest.signFlip(values))
    }

    @Test("no evidence from nothing")
    func degenerate() {
        #expect(PairedTest.signFlip([]).isNaN)
        #expect(PairedTest.wilcoxon([.nan]).isNaN)
        #expect(PairedTest.signFlip([0, 0, 0]) == 1)
        #expect(PairedTest.wilcoxon([0, 0]) == 1)
    }

    @Test("Wilcoxon: SciPy's exact p values")
    func exactWilcoxon() {
        // scipy 1.17: wilcoxon(x, method="exact") of the nine that are not zero
        #expect(abs(PairedTest.wilcoxon(differences) - 0.1640625) < 1e-12)
        // x = 1...20 with every third negative
        let ranks = (1...20).map { Double($0) * ($0 % 3 == 0 ? -1 : 1) }
        #expect(abs(PairedTest.wilcoxon(ranks) - 0.1230926513671875) < 1e-12)
        // Ties: wilcoxon(x, method=PermutationMethod(n_resamples=10**9)), which visits all patterns
        #expect(abs(PairedTest.wilcoxon([1, 2, 2, -3, 3, 4, -1, 5, 6, 2, -2]) - 0.0927734375) < 1e-12)
    }

    @Test("Wilcoxon: SciPy's normal approximation for many, ties and a zero included")
    func normalWilcoxon() {
        // wilcoxon(x, correction=False, method="approx")
        let values = (0..<101).map { Double($0 * 37 % 101 - 45) / 100 }
        #expect(abs(PairedTest.wilcoxon(values) - 0.10062011879874838) < 1e-9)
    }

    @Test("Holm: each p value times the number of those not smaller, never falling")
    func holm() {
        let adjusted = PairedTest.holmAdjusted([0.01, 0.04, .nan, 0.03, 0.005])
        #expect(adjusted[2].isNaN)
        for (value, expected) in zip([adjusted[0], adjusted[1], adjusted[3], adjusted[4]], [0.03, 0.06, 0.06, 0.02]) {
            #expect(abs(value - expected) < 1e-12)
        }
        #expect(PairedTest.holmAdjusted([0.9, 0.8]) == [1, 1])
    }
}
