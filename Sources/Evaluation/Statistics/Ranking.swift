import Foundation
import Tensors

/// Scores of several methods on the same cases of several datasets, higher is better: what rankings are made of.
///
/// A method's rank on a dataset comes from its mean over the dataset's cases, 1 for the best, ties at their mean rank; its
/// rank over all is the mean over datasets (as in the S3D study's Table 2).
public struct Ranking: Sendable, Hashable {
    /// The methods.
    public let methods: [String]
    /// Scores by dataset, method and case; every method has a score for every case.
    public let scores: [[[Double]]]

    /// A ranking of `methods` by `scores`. Cases for which any method has no number are left out, so that all are
    /// compared on the same cases; so are datasets without a case left.
    /// - Parameter scores: `[dataset][method][case]`.
    /// - Precondition: every dataset has a row for each method, all with the same number of cases.
    public init(methods: [String], scores: [[[Double]]]) {
        self.methods = methods
        self.scores = scores.compactMap { dataset in
            check(
                dataset.count == methods.count && Set(dataset.map(\.count)).count <= 1,
                "a ranking of \(methods.count) methods wants as many rows of the same cases")
            let cases = (dataset.first ?? []).indices.filter { item in dataset.allSatisfy { !$0[item].isNaN } }
            return cases.isEmpty ? nil : dataset.map { row in cases.map { row[$0] } }
        }
    }

    /// The rank of each method on a dataset, by the mean over its cases.
    public func ranks(onDataset dataset: Int) -> [Double] {
        Self.ranks(of: scores[dataset].map { $0.reduce(0, +) / Double($0.count) })
    }

    /// The rank of each method: the mean over datasets of ``ranks(onDataset:)``. NaN without cases.
    public var meanRanks: [Double] { Self.mean(scores.indices.map(ranks(onDataset:)), count: methods.count) }

    /// The rank of each method when every case ranks the methods on its own: the mean over a dataset's cases, then over
    /// datasets. Says how consistently a method is better, not by how much.
    public var meanCaseRanks: [Double] {
        Self.mean(
            scores.map { dataset in
                let perCase = dataset[0].indices.map { item in Self.ranks(of: dataset.map { $0[item] }) }
                return Self.mean(perCase, count: methods.count)
            }, count: methods.count)
    }

    /// Ranks of values, the largest first; equal values share their mean rank.
    public static func ranks(of values: [Double]) -> [Double] {
        values.map { value in
            let better = values.count { $0 > value }
            let equal = values.count { $0 == value }
            return Double(better) + Double(equal + 1) / 2
        }
    }

    /// Kendall's τ-b of two rankings: 1 for the same order, −1 for the opposite one, ties corrected for. NaN if either
    /// ranking is one tie.
    public static func kendallTau(_ first: [Double], _ second: [Double]) -> Double {
        var (agreement, firstPairs, secondPairs) = (0.0, 0.0, 0.0)
        for i in first.indices {
            for j in 0..<i {
                let (a, b) = (sign(first[i] - first[j]), sign(second[i] - second[j]))
                agreement += a * b
                firstPairs += a * a
                secondPairs += b * b
            }
        }
        return agreement / (firstPairs * secondPairs).squareRoot()
    }

    private static func sign(_ value: Double) -> Double { value > 0 ? 1 : value < 0 ? -1 : 0 }

    private static func mean(_ rows: [[Double]], count: Int) -> [Double] {
        (0..<count).map { method in rows.reduce(0) { $0 + $1[method] } / Double(rows.count) }
    }
}
