/// The chance that a case of a class scores above one of the others, ties counted half: the area under the receiver
/// operating characteristic, and Mann and Whitney's U over the number of pairs.
public struct AreaUnderCurve: Sendable, Hashable {
    /// The area; 0.5 says nothing.
    public let value: Double
    /// Cases of the class.
    public let positives: Int
    /// Cases of the others.
    public let negatives: Int

    /// The area of these scores; nil unless there are cases of both kinds.
    /// - Parameter isPositive: whether each case has the class.
    public init?(scores: [Double], isPositive: [Bool]) {
        positives = isPositive.count(where: \.self)
        negatives = isPositive.count - positives
        guard positives > 0, negatives > 0 else { return nil }
        // The rank of a score, from 1; equal scores share the mean of theirs.
        let order = scores.indices.sorted { scores[$0] < scores[$1] }
        var (rankSum, start) = (0.0, 0)
        while start < order.count {
            var end = start + 1
            while end < order.count, scores[order[end]] == scores[order[start]] { end += 1 }
            let rank = Double(start + 1 + end) / 2
            rankSum += rank * Double(order[start..<end].count { isPositive[$0] })
            start = end
        }
        let pairs = Double(positives) * Double(negatives)
        value = (rankSum - Double(positives) * Double(positives + 1) / 2) / pairs
    }

    /// The 95 % interval: the areas from which the observed one lies no further than chance explains, by Hanley and McNeil's
    /// variance with the mean size of the groups in place of each (Newcombe 2006, "Confidence intervals for an effect size
    /// measure based on the Mann-Whitney statistic", part 2, method 5). It has a width even where all pairs are in order.
    public var interval: Interval {
        func explains(_ area: Double) -> Bool {
            let others = Double(positives + negatives) / 2 - 1
            let variance =
                area * (1 - area) * (1 + others * (1 - area) / (2 - area) + others * area / (1 + area))
                / (Double(positives) * Double(negatives))
            return abs(value - area) <= Interval.normalQuantile * variance.squareRoot()
        }
        func end(_ limit: Double) -> Double {
            var (inside, outside) = (value, limit)
            for _ in 0..<60 {
                let middle = (inside + outside) / 2
                if explains(middle) { inside = middle } else { outside = middle }
            }
            return inside
        }
        return Interval(lower: end(0), upper: end(1))
    }
}
