/// Verdicts as they are told: one by one, but those that only want more training runs together where they are many and the
/// table beside them has their differences: of a single training-set size.
struct ToldVerdicts {
    /// Up to this many are told one by one.
    private static let fewRows = 3

    /// Those with a sentence of their own.
    let single: [Verdict]
    /// What is said of the others, if there are any.
    let together: String?

    /// - Parameters:
    ///   - overall: the differences that the verdicts are about.
    ///   - sizes: the number of training-set sizes.
    init(_ verdicts: [Verdict], on overall: [PairedResult], sizes: Int) {
        let early = Set(overall.filter { $0.runs < Verdict.runsToDecide }.map(\.initialization))
        guard sizes == 1, early.count > Self.fewRows else {
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
