import Evaluation

/// A training run of any initialization: what initializations are paired by.
struct Run: Hashable, Comparable {
    var fold: Int
    var seed: UInt64

    static func < (first: Run, second: Run) -> Bool {
        (first.fold, first.seed) < (second.fold, second.seed)
    }
}

/// Dice scores, or differences of them, by run, case and class: `[run, case, class]`, NaN where there is none.
struct DiceTable {
    let runs: [Run]
    let cases: [String]
    let classes: Int
    private(set) var values: [Double]

    /// The scores of one initialization and size.
    init(_ comparison: Comparison, _ outcomes: [(CellKey, CellOutcome)]) {
        let runs = Set(outcomes.map { Run($0.0) }).sorted()
        let cases = Set(outcomes.flatMap { $0.1.cases.map(\.name) }).sorted()
        self.init(comparison, outcomes, runs: runs, cases: cases)
    }

    /// The scores of one initialization and size, laid out for the given runs and cases.
    init(_ comparison: Comparison, _ outcomes: [(CellKey, CellOutcome)], runs: [Run], cases: [String]) {
        (self.runs, self.cases, classes) = (runs, cases, comparison.classNames.count)
        values = Array(repeating: .nan, count: runs.count * cases.count * classes)
        let row = Dictionary(uniqueKeysWithValues: zip(cases, cases.indices))
        for (key, outcome) in outcomes {
            guard let run = runs.firstIndex(of: Run(key)) else { continue }
            for score in outcome.cases {
                guard let item = row[score.name] else { continue }
                let first = start(run: run, item: item)
                values.replaceSubrange(first..<first + classes, with: score.dice)
            }
        }
    }

    /// The differences of two tables of the same runs and cases, NaN where either has no score.
    static func - (first: DiceTable, second: DiceTable) -> DiceTable {
        var result = first
        result.values = zip(first.values, second.values).map { $0 - $1 }
        return result
    }

    /// The place of a case's first class.
    private func start(run: Int, item: Int) -> Int { (run * cases.count + item) * classes }

    /// Scores that are numbers.
    var count: Int { values.count { !$0.isNaN } }

    /// The mean over runs and cases of each class, NaN left out; then the mean over classes that have one.
    func mean(_ weights: Bootstrap.Weights? = nil) -> Double {
        Scores((0..<classes).map { mean(ofClass: $0, weights) }).mean
    }

    /// The mean over runs and cases of a class, NaN left out.
    func mean(ofClass index: Int, _ weights: Bootstrap.Weights? = nil) -> Double {
        var (sum, weight) = (0.0, 0.0)
        for run in runs.indices {
            let runWeight = weights?.runs[run] ?? 1
            if runWeight == 0 { continue }
            for item in cases.indices {
                let value = values[start(run: run, item: item) + index]
                if value.isNaN { continue }
                let factor = runWeight * (weights?.cases[item] ?? 1)
                sum += factor * value
                weight += factor
            }
        }
        // Weights of runs can be negative; cases that count for nothing together have no mean.
        return weight > 0 ? sum / weight : .nan
    }

    /// The mean of one run: over its cases for each class, then over classes.
    func mean(ofRun run: Int) -> Double { mean(only(run)) }

    /// The mean of a class in one run, over its cases.
    func mean(ofClass index: Int, run: Int) -> Double { mean(ofClass: index, only(run)) }

    private func only(_ run: Int) -> Bootstrap.Weights {
        var only = Bootstrap.Weights(
            runs: Array(repeating: 0, count: runs.count), cases: Array(repeating: 1, count: cases.count))
        only.runs[run] = 1
        return only
    }

    /// The mean of one case over its classes and all runs that tested it; NaN without scores.
    func mean(ofCase item: Int) -> Double {
        Scores(runs.indices.flatMap { values[start(run: $0, item: item)..<start(run: $0, item: item) + classes] }).mean
    }
}

extension Run {
    init(_ key: CellKey) { self.init(fold: key.fold, seed: key.seed) }
}
