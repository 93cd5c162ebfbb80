import Synchronization

/// Remembers values that are costly to make, up to a number of bytes, and forgets those that were not used for longest.
///
/// There are two generations. A value enters the young one, and returns to it when it is used; when the young generation
/// holds half of the allowed bytes it becomes the old one, and the former old one is dropped. This keeps what is in use
/// without the bookkeeping of an exact order.
final class PieceCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private struct Generations {
        var young: [Key: (value: Value, bytes: Int)] = [:]
        var old: [Key: (value: Value, bytes: Int)] = [:]
        var youngBytes = 0
    }

    private let limit: Int
    private let generations = Mutex(Generations())

    /// - Parameter bytes: what may be remembered; 0 remembers nothing.
    init(bytes: Int) { limit = bytes }

    /// The value of `key`, made if it is not remembered. Two threads that ask at once may both make it.
    func value(of key: Key, make: () throws -> (value: Value, bytes: Int)) rethrows -> Value {
        let known = generations.withLock { generations -> Value? in
            if let found = generations.young[key] { return found.value }
            guard let found = generations.old[key] else { return nil }
            insert(found, for: key, into: &generations)
            return found.value
        }
        if let known { return known }
        let made = try make()
        generations.withLock { insert(made, for: key, into: &$0) }
        return made.value
    }

    private func insert(_ entry: (value: Value, bytes: Int), for key: Key, into generations: inout Generations) {
        guard entry.bytes <= limit / 2, generations.young[key] == nil else { return }
        if generations.youngBytes + entry.bytes > limit / 2 {
            generations.old = generations.young
            (generations.young, generations.youngBytes) = ([:], 0)
        }
        generations.young[key] = entry
        generations.youngBytes += entry.bytes
    }
}
