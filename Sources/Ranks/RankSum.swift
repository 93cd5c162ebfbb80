/// The sum over all ranks of equally long arrays, in the same bits everywhere and in every run.
///
/// Each rank sums one block of the array and sends it to all others, so that the traffic of a rank is
/// `2 (n - 1) / n` times the array, whatever the number of ranks `n`. Summands are added in pairs of neighbours, then pairs
/// of pairs: `(0 + 1) + (2 + 3)`. Sums of micro-batches are made in the same order, see ``PairwiseSum``.
public struct RankSum: Sendable {
    private let ranks: any Communicator

    /// Sums over `ranks`.
    public init(_ ranks: any Communicator) { self.ranks = ranks }

    /// The length that a buffer for `count` numbers must have: a multiple of the number of ranks.
    public func paddedCount(_ count: Int) -> Int { (count + ranks.count - 1) / ranks.count * ranks.count }

    /// Replaces `values` by the sum over all ranks.
    /// - Parameters:
    ///   - values: of a length that ``paddedCount(_:)`` gives.
    ///   - scratch: as long.
    public func callAsFunction(_ values: UnsafeMutableBufferPointer<Float>, scratch: UnsafeMutableBufferPointer<Float>)
    {
        guard ranks.count > 1, let blocks = scratch.baseAddress else { return }
        let length = values.count / ranks.count
        ranks.exchange(UnsafeRawBufferPointer(values), into: UnsafeMutableRawBufferPointer(scratch))
        PairwiseSum.forEachAddition(of: ranks.count) { target, source in
            let (sum, other) = (blocks + target * length, blocks + source * length)
            for index in 0..<length { sum[index] += other[index] }
        }
        ranks.gather(
            UnsafeRawBufferPointer(start: blocks, count: length * MemoryLayout<Float>.size),
            into: UnsafeMutableRawBufferPointer(values))
    }

    /// The sum over all ranks of a few numbers.
    public func callAsFunction(_ values: [Double]) -> [Double] {
        var all = ranks.gather(values)
        PairwiseSum.forEachAddition(of: all.count) { target, source in
            for index in values.indices { all[target][index] += all[source][index] }
        }
        return all[0]
    }
}

/// The order in which summands are added: pairs of neighbours, then pairs of pairs.
public enum PairwiseSum {
    /// Calls `add` for each addition, in order: summand `source` is added to summand `target`. The sum ends up in summand 0.
    public static func forEachAddition(of count: Int, _ add: (_ target: Int, _ source: Int) -> Void) {
        var distance = 1
        while distance < count {
            for target in stride(from: 0, to: count - distance, by: 2 * distance) { add(target, target + distance) }
            distance *= 2
        }
    }

    /// How many partial sums the summand at `index`, arriving in order, is added to at once: those of as many summands as
    /// it stands for itself.
    public static func merges(at index: Int) -> Int { (~index).trailingZeroBitCount }
}
