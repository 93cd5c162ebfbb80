import Foundation
import Synchronization

/// Worker threads that share the iterations of one parallel loop at a time.
///
/// A loop is cut by its work, never by the number of threads, so that results do not depend on that number. A loop
/// that starts while another runs (nested in it, or on a loader's thread) is run by its caller alone.
final class ThreadPool: Sendable {
    private let crew: Crew

    init(threads: Int) {
        crew = Crew()
        for index in 1..<max(threads, 1) {
            // With fewer threads than wished the same results take longer.
            guard BackgroundThread.start("warmstart-\(index)", { [crew] in crew.work() }) else { break }
            crew.helpers += 1
        }
    }

    deinit { crew.dismiss() }

    /// Calls `body(0)`, ..., `body(count - 1)` on all threads and returns when every call has returned.
    func run(_ count: Int, _ body: @Sendable (Int) -> Void) {
        guard count > 1, crew.helpers > 0, crew.turn.try() else {
            for index in 0..<count { body(index) }
            return
        }
        defer { crew.turn.unlock() }
        withoutActuallyEscaping(body) { body in
            crew.start(count, body)
            crew.drain(count, body)
            crew.waitForHelpers()
        }
    }
}

/// What the threads of a pool share. Kept alive by the worker threads after the pool is gone.
///
/// `@unchecked Sendable`: `body`, `count`, `generation`, `busy` and `closed` are guarded by `lock`; `helpers` is set before
/// the first loop and constant afterwards.
private final class Crew: @unchecked Sendable {
    let turn = NSLock()
    var helpers = 0
    private let lock = NSCondition()
    private let next = Atomic<Int>(0)
    private var body: (@Sendable (Int) -> Void)?
    private var count = 0
    private var generation = 0
    private var busy = 0
    private var closed = false

    func start(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        lock.lock()
        next.store(0, ordering: .relaxed)
        self.body = body
        self.count = count
        busy = helpers
        generation += 1
        lock.broadcast()
        lock.unlock()
    }

    func drain(_ count: Int, _ body: (Int) -> Void) {
        while true {
            let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
            guard index < count else { return }
            body(index)
        }
    }

    func waitForHelpers() {
        lock.lock()
        while busy > 0 { lock.wait() }
        body = nil
        lock.unlock()
    }

    func work() {
        var seen = 0
        lock.lock()
        while true {
            while generation == seen && !closed { lock.wait() }
            if closed { break }
            seen = generation
            let (body, count) = (body!, count)
            lock.unlock()
            drain(count, body)
            lock.lock()
            busy -= 1
            if busy == 0 { lock.broadcast() }
        }
        lock.unlock()
    }

    func dismiss() {
        lock.lock()
        closed = true
        lock.broadcast()
        lock.unlock()
    }
}
