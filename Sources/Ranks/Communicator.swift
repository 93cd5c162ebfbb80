/// The processes that train one network together, called ranks and counted from 0, as one of them sees them.
///
/// Only moves data: sums are made by the ranks themselves, in an order of their own (``RankSum``), so that results do not
/// depend on the library or the network in between. All ranks make the same calls in the same order, from one thread at a
/// time; a call returns when the data have arrived.
public protocol Communicator: Sendable {
    /// Which of the processes this is.
    var rank: Int { get }
    /// How many there are.
    var count: Int { get }

    /// Sends block `i` of `send` to rank `i`. Block `i` of `receive` becomes what rank `i` sent to this one.
    ///
    /// Both consist of ``count`` blocks of equal size, below 2 GB each.
    func exchange(_ send: UnsafeRawBufferPointer, into receive: UnsafeMutableRawBufferPointer)

    /// `receive` becomes what all ranks send, one after another in rank order. All send the same number of bytes.
    func gather(_ send: UnsafeRawBufferPointer, into receive: UnsafeMutableRawBufferPointer)
}

extension Communicator {
    /// Whether this is the rank that writes files and speaks.
    public var isFirst: Bool { rank == 0 }

    /// Every rank's values, in rank order. All ranks give equally many.
    public func gather(_ values: [Double]) -> [[Double]] {
        guard count > 1 else { return [values] }
        var all = [Double](repeating: 0, count: count * values.count)
        values.withUnsafeBytes { send in all.withUnsafeMutableBytes { gather(send, into: $0) } }
        return (0..<count).map { Array(all[$0 * values.count..<($0 + 1) * values.count]) }
    }

    /// Every rank's text, in rank order.
    public func gather(_ text: String) -> [String] {
        guard count > 1 else { return [text] }
        let bytes = Array(text.utf8)
        let lengths = gather([Double(bytes.count)]).map { Int($0[0]) }
        let longest = lengths.max() ?? 0
        let padded = bytes + [UInt8](repeating: 0, count: longest - bytes.count)
        var all = [UInt8](repeating: 0, count: count * longest)
        padded.withUnsafeBytes { send in all.withUnsafeMutableBytes { gather(send, into: $0) } }
        return lengths.enumerated().map { rank, length in
            String(decoding: all[rank * longest..<rank * longest + length], as: UTF8.self)
        }
    }

    /// Waits until all ranks are here.
    public func wait() { _ = gather([0]) }

    /// Calls `body` on the first rank, then on all others: what the first one writes, the others find.
    public func firstThenOthers<Result>(_ body: () throws -> Result) rethrows -> Result {
        if isFirst {
            let result = try body()
            wait()
            return result
        }
        wait()
        return try body()
    }
}

/// A process that trains alone.
public struct OneProcess: Communicator {
    /// No other.
    public init() {}

    /// 0.
    public var rank: Int { 0 }
    /// 1.
    public var count: Int { 1 }

    /// A copy.
    public func exchange(_ send: UnsafeRawBufferPointer, into receive: UnsafeMutableRawBufferPointer) {
        receive.copyMemory(from: send)
    }

    /// A copy.
    public func gather(_ send: UnsafeRawBufferPointer, into receive: UnsafeMutableRawBufferPointer) {
        receive.copyMemory(from: send)
    }
}
