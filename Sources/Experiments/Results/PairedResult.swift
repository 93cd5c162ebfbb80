import Evaluation

/// How much higher the Dice of an initialization is than the baseline's, on the same training cases, seeds and test
/// cases.
public struct PairedResult: Sendable, Codable {
    /// The difference in one test case, the mean over classes and runs.
    public struct CaseDifference: Sendable, Codable {
        /// The case.
        public var name: String
        /// Initialization less baseline.
        public var difference: Double
    }

    /// The initialization's name.
    public var initialization: String
    /// The baseline's name.
    public var baseline: String
    /// The training-set size; nil for all sizes together, each with the same weight.
    public var size: TrainingSize?
    /// Pairs of training runs.
    public var runs: Int
    /// The mean difference of the Dice: over cases and runs for each class, then over classes.
    public var difference: Double
    /// The bootstrap interval of ``difference``.
    public var interval: Interval?
    /// The mean difference of each class; nil where no case has one.
    public var differenceOfClasses: [Double?]
    /// The p value of the sign-flip test of the cases' differences: two-sided, exact for few cases.
    public var signFlipP: Double?
    /// ``signFlipP`` adjusted by Holm's method for the number of comparisons of this kind.
    public var adjustedP: Double?
    /// The p value of Wilcoxon's signed-rank test of the cases' differences.
    public var wilcoxonP: Double?
    /// ``wilcoxonP`` adjusted by Holm's method for the number of comparisons of this kind.
    public var adjustedWilcoxonP: Double?
    /// Test cases in which the initialization is better.
    public var wins: Int
    /// Test cases in which the baseline is better.
    public var losses: Int
    /// Test cases without difference.
    public var ties: Int
    /// The test cases, the largest gain first.
    public var cases: [CaseDifference]

    /// The difference of the tables of one or several sizes, all with the same runs and cases; nil if no case has one.
    init?(
        initialization: String, baseline: String, size: TrainingSize?, tables: [DiceTable], bootstrap: Bootstrap
    ) {
        let tables = tables.filter { $0.count > 0 }
        guard let first = tables.first else { return nil }
        func mean(_ value: (DiceTable) -> Double) -> Double { Scores(tables.map(value)).mean }

        self.initialization = initialization
        self.baseline = baseline
        self.size = size
        runs = first.runs.count
        difference = mean { $0.mean() }
        interval = bootstrap.interval(runs: first.runs.count, cases: first.cases.count) { weights in
            mean { $0.mean(weights) }
        }
        differenceOfClasses = (0..<first.classes).map { index in
            let value = mean { $0.mean(ofClass: index) }
            return value.isNaN ? nil : value
        }
        let cases = first.cases.indices.map { item in
            CaseDifference(name: first.cases[item], difference: mean { $0.mean(ofCase: item) })
        }.filter { !$0.difference.isNaN }
        signFlipP = PairedTest.signFlip(cases.map(\.difference), seed: bootstrap.seed)
        wilcoxonP = PairedTest.wilcoxon(cases.map(\.difference))
        wins = cases.count { $0.difference > 0 }
        losses = cases.count { $0.difference < 0 }
        ties = cases.count - wins - losses
        self.cases = cases.sorted { ($1.difference, $0.name) < ($0.difference, $1.name) }
    }
}

extension PairedResult {
    /// The difference and its interval without the tests of the cases one by one.
    var untested: PairedResult {
        var result = self
        (result.signFlipP, result.wilcoxonP) = (nil, nil)
        return result
    }
}

extension [PairedResult] {
    /// Fills in the adjusted p values: the elements are one family of tests.
    func holmAdjusted() -> [PairedResult] {
        let signFlips = PairedTest.holmAdjusted(map { $0.signFlipP ?? .nan })
        let wilcoxons = PairedTest.holmAdjusted(map { $0.wilcoxonP ?? .nan })
        return indices.map { index in
            var result = self[index]
            result.adjustedP = signFlips[index].isNaN ? nil : signFlips[index]
            result.adjustedWilcoxonP = wilcoxons[index].isNaN ? nil : wilcoxons[index]
            return result
        }
    }
}
