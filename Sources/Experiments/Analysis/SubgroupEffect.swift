import Evaluation

/// How much an initialization gains over the baseline in some of the test cases, all training-set sizes together.
public struct SubgroupEffect: Sendable, Hashable, Codable {
    /// What cases are grouped by, for example `volume of liver` or `centre`.
    public var grouping: String
    /// The group, for example `small (below 800 mm³)`.
    public var group: String
    /// The initialization.
    public var initialization: String
    /// The number of test cases.
    public var cases: Int
    /// The mean Dice of the baseline in them.
    public var baselineDice: Double
    /// Initialization less baseline.
    public var difference: Double
    /// The bootstrap interval of ``difference``.
    public var interval: Interval?
}

/// Some of the test cases, and the classes that count in them.
struct Subgroup {
    var grouping: String
    var group: String
    var cases: Set<String>
    var classes: [Int]

    /// Thirds of the test cases by the reference volume of each class, and the groups of a file.
    static func all(
        classNames: [String], referenceMM3: [String: [Double]], file: SubgroupFile?
    ) -> [Subgroup] {
        var groups: [Subgroup] = []
        for (index, name) in classNames.enumerated() {
            let volumes = referenceMM3.mapValues { $0[index] }.filter { $0.value > 0 }
            // Fewer cases than three for each third say nothing.
            guard volumes.count >= 9 else { continue }
            let sorted = Scores(volumes.values)
            let (low, high) = (sorted.percentile(100 / 3), sorted.percentile(200 / 3))
            let bounds = [low, high].map { Format.volume($0) }
            for (group, contains) in [
                ("small, below \(bounds[0])", { $0 < low }), ("medium", { $0 >= low && $0 < high }),
                ("large, from \(bounds[1])", { $0 >= high }),
            ] as [(String, (Double) -> Bool)] {
                groups.append(
                    Subgroup(
                        grouping: "volume of \(name)", group: group,
                        cases: Set(volumes.filter { contains($0.value) }.keys), classes: [index]))
            }
        }
        for column in file?.columns ?? [] {
            for group in Set(column.groupOfCase.values).sorted() {
                groups.append(
                    Subgroup(
                        grouping: column.name, group: group,
                        cases: Set(column.groupOfCase.filter { $0.value == group }.keys),
                        classes: Array(classNames.indices)))
            }
        }
        return groups
    }

    /// The effect in this group; nil if no case has a score.
    /// - Parameter tables: differences and the baseline's scores, by training-set size, of the same runs and cases.
    func effect(
        of initialization: String, differences tables: [DiceTable], baseline: [DiceTable], bootstrap: Bootstrap
    ) -> SubgroupEffect? {
        guard let first = tables.first else { return nil }
        let isMember = first.cases.map { cases.contains($0) ? 1.0 : 0 }
        func mean(_ tables: [DiceTable], _ weights: Bootstrap.Weights) -> Double {
            var weights = weights
            weights.cases = zip(weights.cases, isMember).map { $0 * $1 }
            return Scores(
                tables.filter { $0.count > 0 }.map { table in
                    Scores(classes.map { table.mean(ofClass: $0, weights) }).mean
                }
            ).mean
        }
        let once = Bootstrap.Weights(
            runs: Array(repeating: 1, count: first.runs.count), cases: Array(repeating: 1, count: isMember.count))
        let difference = mean(tables, once)
        guard !difference.isNaN else { return nil }
        return SubgroupEffect(
            grouping: grouping, group: group, initialization: initialization,
            cases: first.cases.count(where: cases.contains), baselineDice: mean(baseline, once), difference: difference,
            interval: bootstrap.interval(runs: first.runs.count, cases: isMember.count) { mean(tables, $0) })
    }
}
