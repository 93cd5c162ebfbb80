import Foundation
import Tensors

/// Makes the batches of coming steps on background threads, a few ahead of the step that computes.
///
/// `@unchecked Sendable`: everything that changes is guarded by `lock`.
final class Prefetcher<Batch: Sendable>: @unchecked Sendable {
    private let make: @Sendable (_ step: Int) throws -> Batch
    private let steps: Range<Int>
    /// Batches that are made ahead at most; 0: each is made when it is asked for.
    private var depth: Int
    private let lock = NSCondition()
    private var ready: [Int: Result<Batch, any Error>] = [:]
    private var toMake: Int
    private var wanted: Int
    private var isStopped = false

    /// - Parameters:
    ///   - depth: batches that are made ahead at most, each by a thread of its own if need be.
    ///   - make: a pure function.
    init(steps: Range<Int>, depth: Int, make: @escaping @Sendable (_ step: Int) throws -> Batch) {
        (self.make, self.steps, self.depth) = (make, steps, depth)
        (toMake, wanted) = (steps.lowerBound, steps.lowerBound)
        for index in 0..<min(depth, steps.count) {
            guard BackgroundThread.start("batches-\(index)", { [self] in work() }) else {
                if index == 0 { self.depth = 0 }
                break
            }
        }
    }

    /// The batch of the next step; waits until it is made. Steps are taken in order.
    func next() throws -> Batch {
        lock.lock()
        defer { lock.unlock() }
        let step = wanted
        guard depth > 0 else {
            wanted += 1
            return try make(step)
        }
        while ready[step] == nil { lock.wait() }
        wanted += 1
        lock.broadcast()
        guard let result = ready.removeValue(forKey: step) else { fatalError("the batch of step \(step) vanished") }
        return try result.get()
    }

    /// Lets the threads end after what they are at.
    func stop() {
        lock.lock()
        isStopped = true
        lock.broadcast()
        lock.unlock()
    }

    private func work() {
        lock.lock()
        defer { lock.unlock() }
        while true {
            while !isStopped && toMake >= wanted + depth && toMake < steps.upperBound { lock.wait() }
            guard !isStopped, toMake < steps.upperBound else { return }
            let step = toMake
            toMake += 1
            lock.unlock()
            let result = Result { try make(step) }
            lock.lock()
            ready[step] = result
            lock.broadcast()
        }
    }
}
