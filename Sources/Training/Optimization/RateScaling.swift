/// How learning rates follow the number of samples in a batch: they are multiplied by a function of
/// `k = batch / reference batch`.
public struct RateScaling: Hashable, Sendable {
    /// The function.
    public enum Rule: String, CaseIterable, Sendable {
        /// 1: rates are as the schedule says, whatever the batch.
        case none
        /// `k`: a step over `k` times the samples replaces `k` steps. Goyal et al. 2017, arXiv:1706.02677.
        case linear
        /// The square root of `k`: keeps the variance of an update. Krizhevsky 2014, arXiv:1404.5997.
        case squareRoot = "square_root"
    }

    /// The function.
    public var rule: Rule
    /// The batch for which the schedule's rates hold.
    public var referenceBatch: Int

    /// A rule with its reference.
    public init(_ rule: Rule, referenceBatch: Int) { (self.rule, self.referenceBatch) = (rule, referenceBatch) }

    /// Rates as they are.
    public static let none = RateScaling(.none, referenceBatch: 2)

    /// What rates are multiplied by for a batch of so many samples.
    public func factor(batch: Int) -> Double {
        let ratio = Double(batch) / Double(referenceBatch)
        return switch rule {
        case .none: 1
        case .linear: ratio
        case .squareRoot: ratio.squareRoot()
        }
    }

    /// Reads `rate_scaling` and `reference_batch`; nnU-Net's batch is 2.
    /// - Throws: ``RecipeError``.
    init(reading section: RecipeSection) throws {
        rule = try section.choice("rate_scaling", default: Rule.none)
        referenceBatch = try section.integer("reference_batch", default: 2, in: 1...1_000_000)
    }
}
