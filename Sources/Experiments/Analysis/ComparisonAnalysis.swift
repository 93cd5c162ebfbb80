import Evaluation
import Foundation

/// What lies behind the scores of a comparison: distances of surfaces, effects in subgroups, the kind of errors and the
/// worst cases. Written as `analysis.json`.
public struct ComparisonAnalysis: Sendable, Codable {
    /// The surfaces of one initialization at one training-set size: means over cases for each run and class, then over
    /// classes, then over runs; and the standard deviation over runs.
    public struct SurfaceRow: Sendable, Codable {
        /// The initialization.
        public var initialization: String
        /// The training-set size.
        public var size: TrainingSize
        /// Training runs.
        public var runs: Int
        /// HD95 in millimetres.
        public var hausdorff95MM: Spread
        /// ASSD in millimetres.
        public var averageMM: Spread
        /// NSD at each of ``CellFacts/tolerancesMM``.
        public var surfaceDice: [Spread]
        /// Classes of cases that only one mask has, over all runs; they count as the image's diagonal.
        public var missed: Int
        /// The share of error voxels that lie at the reference's surface; nil without errors.
        public var errorsAtSurface: Double?
        /// Connected parts of the references, those of them that were found, and parts found where nothing is.
        public var referenceParts, foundParts, falseParts: Int
    }

    /// A test case that went badly.
    public struct WorstCase: Sendable, Codable {
        /// The case.
        public var name: String
        /// The mean Dice over classes and runs, by initialization, at the largest training-set size.
        public var dice: [String: Double]
        /// The volumes of the classes in the reference.
        public var referenceMM3: [Double]
        /// Their mean volume in the predictions, by initialization.
        public var predictedMM3: [String: [Double]]
    }

    /// How classes are mistaken for each other.
    public struct Confusion: Sendable, Codable {
        /// The initialization, at the largest training-set size.
        public var initialization: String
        /// Shares of the reference's voxels: rows are what is there, columns what was predicted; background first.
        public var shares: [[Double]]
    }

    /// Surfaces by initialization, then size.
    public var surfaces: [SurfaceRow]
    /// Effects by grouping, group and initialization.
    public var subgroups: [SubgroupEffect]
    /// The cases with the lowest Dice, the worst first.
    public var worstCases: [WorstCase]
    /// One table for each initialization.
    public var confusions: [Confusion]

    /// More worst cases than these are not kept.
    static let worstCasesKept = 6

    /// The analysis of finished cells whose predictions were measured; nil if there are none.
    init?(
        _ comparison: Comparison, outcomes: [CellKey: CellOutcome], facts: [CellKey: CellFacts],
        subgroups: SubgroupFile?,
        bootstrap: Bootstrap
    ) {
        guard !facts.isEmpty else { return nil }
        let names = comparison.initializations.map(\.name)
        surfaces = names.flatMap { name in
            comparison.sizes.compactMap { size in
                SurfaceRow(name, size, facts.filter { $0.key.initialization == name && $0.key.size == size })
            }
        }
        let volumes = Dictionary(
            facts.values.flatMap { $0.cases.map { ($0.name, $0.classes.map(\.referenceMM3)) } }
        ) { first, _ in first }
        let groups = Subgroup.all(classNames: comparison.classNames, referenceMM3: volumes, file: subgroups)
        func finished(_ name: String, _ size: TrainingSize) -> [(CellKey, CellOutcome)] {
            outcomes.filter { $0.key.initialization == name && $0.key.size == size }.map { ($0.key, $0.value) }
        }
        let baseline = comparison.baseline.name
        let tables = names.dropFirst().map { name in
            let pairs = comparison.sizes.map { (finished(name, $0), finished(baseline, $0)) }
            let differences = ComparisonResults.differences(comparison, pairs)
            let own = zip(pairs, differences).map { pair, table in
                DiceTable(comparison, pair.1, runs: table.runs, cases: table.cases)
            }
            return (name: name, differences: differences, baseline: own)
        }
        self.subgroups = groups.flatMap { group in
            tables.compactMap {
                group.effect(of: $0.name, differences: $0.differences, baseline: $0.baseline, bootstrap: bootstrap)
            }
        }
        let largest = Self.largestSize(of: comparison, facts)
        let last = facts.filter { $0.key.size == largest }
        worstCases = Self.worst(names, last)
        confusions = names.compactMap { name in
            Confusion(name, last.filter { $0.key.initialization == name }.map(\.value))
        }
    }

    /// The largest training-set size at which all initializations were measured, or else any was.
    static func largestSize(of comparison: Comparison, _ facts: [CellKey: CellFacts]) -> TrainingSize? {
        func measured(_ size: TrainingSize) -> Int {
            Set(facts.keys.filter { $0.size == size }.map(\.initialization)).count
        }
        return comparison.sizes.last { measured($0) == comparison.initializations.count }
            ?? comparison.sizes.last { measured($0) > 0 }
    }

    private static func worst(_ names: [String], _ facts: [CellKey: CellFacts]) -> [WorstCase] {
        var cases: [String: WorstCase] = [:]
        for name in names {
            let own = facts.filter { $0.key.initialization == name }.values.flatMap(\.cases)
            for (item, runs) in Dictionary(grouping: own, by: \.name) {
                var worst =
                    cases[item]
                    ?? WorstCase(
                        name: item, dice: [:], referenceMM3: runs[0].classes.map(\.referenceMM3), predictedMM3: [:])
                let dice = Scores(runs.map(\.dice))
                if dice.count > 0 { worst.dice[name] = dice.mean }
                worst.predictedMM3[name] = runs[0].classes.indices.map { index in
                    Scores(runs.map { $0.classes[index].predictedMM3 }).mean
                }
                cases[item] = worst
            }
        }
        func mean(_ item: WorstCase) -> Double { Scores(item.dice.sorted { $0.key < $1.key }.map(\.value)).mean }
        return Array(
            cases.values.filter { !$0.dice.isEmpty }.sorted { (mean($0), $0.name) < (mean($1), $1.name) }
                .prefix(worstCasesKept))
    }

    /// The bytes of `analysis.json`, keys sorted.
    func encoded() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }
}

extension ComparisonAnalysis.SurfaceRow {
    fileprivate init?(_ initialization: String, _ size: TrainingSize, _ facts: [CellKey: CellFacts]) {
        guard !facts.isEmpty else { return nil }
        let cells = facts.sorted { Run($0.key) < Run($1.key) }.map(\.value)
        /// One mean for each run: over its cases for each class, then over classes.
        func spread(_ value: (ClassFacts) -> Double?) -> Spread {
            Spread(
                cells.map { cell in
                    let classes = cell.cases.first?.classes.indices ?? 0..<0
                    return Scores(
                        classes.map { index in Scores(cell.cases.compactMap { value($0.classes[index]) }).mean }
                    )
                    .mean
                })
        }
        let all = cells.flatMap { $0.cases.flatMap(\.classes) }
        let errors = all.compactMap(\.errors)
        let wrong = errors.reduce(0) { $0 + $1.errorVoxels }
        (self.initialization, self.size, runs) = (initialization, size, cells.count)
        hausdorff95MM = spread(\.hausdorff95MM)
        averageMM = spread(\.averageMM)
        surfaceDice = CellFacts.tolerancesMM.indices.map { index in spread { $0.surfaceDice?[index] } }
        missed = all.count(where: \.isMissed)
        errorsAtSurface =
            wrong == 0 ? nil : Double(errors.reduce(0) { $0 + $1.errorVoxelsAtSurface }) / Double(wrong)
        referenceParts = errors.reduce(0) { $0 + $1.referenceParts }
        foundParts = errors.reduce(0) { $0 + $1.foundParts }
        falseParts = errors.reduce(0) { $0 + $1.falseParts }
    }
}

extension ComparisonAnalysis.Confusion {
    fileprivate init?(_ initialization: String, _ cells: [CellFacts]) {
        guard let first = cells.first else { return nil }
        self.initialization = initialization
        shares = first.confusion.indices.map { row in
            let counts = first.confusion[row].indices.map { column in
                cells.reduce(0) { $0 + $1.confusion[row][column] }
            }
            let all = counts.reduce(0, +)
            return counts.map { all == 0 ? 0 : Double($0) / Double(all) }
        }
    }
}
