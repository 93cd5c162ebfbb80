import Evaluation
import Foundation

/// What a comparison says about one initialization, in one word and one sentence.
public struct Verdict: Sendable, Codable {
    /// The outcome. The interval decides, not the mean.
    public enum Outcome: String, Sendable, Codable {
        /// The whole interval lies above zero.
        case helped
        /// The whole interval lies below zero.
        case hurt
        /// The interval contains zero and reaches no difference that matters.
        case noDifference = "made no difference"
        /// The interval contains zero and differences that matter.
        case undecided
    }

    /// Differences of the Dice up to this size do not matter to anyone.
    public static let negligibleDice = 0.005

    /// With fewer training runs per point an interval says too little about other seeds to decide: two runs cover the
    /// spread of seeds in about 6 of 10 cases only.
    public static let runsToDecide = 3

    /// The initialization's name.
    public var initialization: String
    /// The outcome over all training-set sizes.
    public var outcome: Outcome
    /// The sentence, with the difference and its interval.
    public var sentence: String

    /// The verdict on a difference over all sizes.
    /// - Parameters:
    ///   - score: what differs, such as `Dice`.
    ///   - place: the other dataset that the test cases are from; nil for the comparison's own.
    init(_ result: PairedResult, of score: String = "Dice", confidence: Double, place: String? = nil) {
        initialization = result.initialization
        outcome = result.runs < Self.runsToDecide ? .undecided : Self.outcome(result.interval)
        let there = place.map { " on \($0)" } ?? ""
        let headline =
            switch outcome {
            case .helped: "\(result.initialization) helped\(there)"
            case .hurt: "\(result.initialization) did not help\(there), it hurt"
            case .noDifference: "\(result.initialization) did not help\(there)"
            case .undecided: "Undecided whether \(result.initialization) helped\(there)"
            }
        let interval =
            result.interval.map {
                " (\(Self.percent(confidence)) interval \(Format.signed($0.lower)) to \(Format.signed($0.upper)))"
            } ?? ""
        sentence =
            "\(headline): over all training-set sizes its \(score) differs from \(result.baseline)'s by "
            + "\(Format.signed(result.difference))\(interval); better in \(result.wins) of \(result.cases.count) test "
            + "cases, worse in \(result.losses)."
            + (result.runs < Self.runsToDecide
                ? " It takes \(Self.runsToDecide) training runs per point to decide, here are \(result.runs)." : "")
    }

    /// The outcome that an interval of a difference stands for.
    static func outcome(_ interval: Interval?) -> Outcome {
        guard let interval else { return .undecided }
        if interval.lower > 0 { return .helped }
        if interval.upper < 0 { return .hurt }
        return max(-interval.lower, interval.upper) < negligibleDice ? .noDifference : .undecided
    }

    private static func percent(_ share: Double) -> String { "\(Int((share * 100).rounded())) %" }
}
