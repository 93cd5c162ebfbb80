/// Every n-th piece of a work that others share: what one job of an array does, or one of several processes.
///
/// Written `i/n`, with `i` from 0 to `n - 1`.
public struct Shard: Hashable, Sendable, CustomStringConvertible {
    /// Which of the shards this is.
    public let index: Int
    /// How many there are.
    public let count: Int

    /// All of the work.
    public static let whole = Shard(index: 0, count: 1)

    private init(index: Int, count: Int) { (self.index, self.count) = (index, count) }

    /// A shard such as `0/8`; nil if the text names none.
    public init?(_ text: String) {
        let numbers = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
        guard numbers.count == 2, let index = numbers[0], let count = numbers[1], (0..<count).contains(index) else {
            return nil
        }
        self.init(index: index, count: count)
    }

    /// The shard of a process that was started beside others.
    public init(_ place: RankPlace) { self.init(index: place.rank, count: place.count) }

    /// What tells this shard's lock of a folder from that of the others; nil for the whole work.
    public var lockName: String? { count == 1 ? nil : "\(index)-of-\(count)" }

    /// `i/n`.
    public var description: String { "\(index)/\(count)" }

    /// The elements that belong to this shard, in order.
    public func part<Element>(of all: [Element]) -> [Element] {
        stride(from: index, to: all.count, by: count).map { all[$0] }
    }
}
