/// Verdicts as they are told: one by one, but those that only want more training runs together where they are many. The
/// table beside them has their differences.
struct ToldVerdicts {
    /// Up to this many are told one by one.
    private static let fewRows = 3

    /// Those with a sentence of their own.
    let single: [Verdict]
    /// What is said of the others, if there are any.
    let together: String?

    /// - Parameter overall: the differences that the verdicts are about.
    init(_ verdicts: [Verdict], on overall: [PairedResult]) {
        let early = Set(overall.filter { $0.runs < Verdict.runsToDecide }.map(\.initialization))
        guard early.count > Self.fewRows else {
            (single, together) = (verdicts, nil)
            return
        }
        single = verdicts.filter { !early.contains($0.initialization) }
        let names = overall.map(\.initialization).filter(early.contains).joined(separator: ", ")
        together =
            "Undecided, for it takes \(Verdict.runsToDecide) training runs per point: \(names). "
            + "The table has their differences and intervals."
    }

    /// All of it.
    var sentences: [String] { single.map(\.sentence) + [together].compactMap(\.self) }
}
