import Foundation

/// Worker threads that share the iterations of one parallel loop at a time.
///
/// A loop is cut by its work, never by the number of threads, so that results do not depend on that number. A loop
/// that starts while another runs (nested in it, or on a loader's thread) is run by its caller alone.
final class ThreadPool: Sendable {
    private let crew: Crew
    /// Held by whoever runs a loop.
    private let turn = NSLock()

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
        guard count > 1, crew.helpers > 0, turn.try() else {
            for index in 0..<count { body(index) }
            return
        }
        defer { turn.unlock() }
        withoutActuallyEscaping(body) { body in crew.run(count, body) }
    }
}
