import Foundation

/// Ranks that are threads of one process: what several processes do, where there is no MPI.
public struct ThreadRanks: Communicator {
    /// Which of the threads this is.
    public let rank: Int
    private let meeting: Meeting

    /// How many threads there are.
    public var count: Int { meeting.count }

    /// Calls `body` on `count` threads at once, each with its rank, and returns the results in rank order.
    /// - Throws: the error of the first rank that has one. A rank that throws leaves: the others must throw as well.
    public static func run<Result: Sendable>(
        _ count: Int, _ body: @escaping @Sendable (ThreadRanks) throws -> Result
    ) throws -> [Result] {
        let meeting = Meeting(count: count)
        let results = Results<Result>(count: count)
        for rank in 0..<count {
            let thread = Thread {
                let result = Swift.Result { try body(ThreadRanks(rank: rank, meeting: meeting)) }
                results.set(result, of: rank)
            }
            thread.stackSize = 1 << 23
            thread.start()
        }
        return try results.all().map { try $0.get() }
    }

    /// Copies from the others' memory.
    public func exchange(_ send: UnsafeRawBufferPointer, into receive: UnsafeMutableRawBufferPointer) {
        let block = send.count / count
        meeting.share(send, rank: rank) { all in
            for (other, sent) in all.enumerated() {
                UnsafeMutableRawBufferPointer(rebasing: receive[other * block..<(other + 1) * block])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: sent[rank * block..<(rank + 1) * block]))
            }
        }
    }

    /// Copies from the others' memory.
    public func gather(_ send: UnsafeRawBufferPointer, into receive: UnsafeMutableRawBufferPointer) {
        meeting.share(send, rank: rank) { all in
            for (other, sent) in all.enumerated() {
                UnsafeMutableRawBufferPointer(rebasing: receive[other * send.count..<(other + 1) * send.count])
                    .copyMemory(from: sent)
            }
        }
    }
}

/// Where threads show each other their memory.
///
/// `@unchecked Sendable`: everything that changes is guarded by `lock`.
private final class Meeting: @unchecked Sendable {
    let count: Int
    private let lock = NSCondition()
    private var shown: [UnsafeRawBufferPointer?]
    private var arrived = 0
    private var round = 0

    init(count: Int) {
        self.count = count
        shown = [UnsafeRawBufferPointer?](repeating: nil, count: count)
    }

    /// Calls `body` with the memory of all, and returns when nobody reads any more.
    func share(_ memory: UnsafeRawBufferPointer, rank: Int, _ body: ([UnsafeRawBufferPointer]) -> Void) {
        lock.lock()
        shown[rank] = memory
        lock.unlock()
        waitForAll()
        body(shown.compactMap(\.self))
        waitForAll()
    }

    private func waitForAll() {
        lock.lock()
        defer { lock.unlock() }
        arrived += 1
        guard arrived < count else {
            (arrived, round) = (0, round + 1)
            lock.broadcast()
            return
        }
        let mine = round
        while round == mine { lock.wait() }
    }
}

/// `@unchecked Sendable`: everything that changes is guarded by `lock`.
private final class Results<Value: Sendable>: @unchecked Sendable {
    private let lock = NSCondition()
    private var values: [Result<Value, any Error>?]

    init(count: Int) { values = [Result<Value, any Error>?](repeating: nil, count: count) }

    func set(_ value: Result<Value, any Error>, of rank: Int) {
        lock.lock()
        values[rank] = value
        lock.broadcast()
        lock.unlock()
    }

    func all() -> [Result<Value, any Error>] {
        lock.lock()
        defer { lock.unlock() }
        while values.contains(where: { $0 == nil }) { lock.wait() }
        return values.compactMap(\.self)
    }
}
