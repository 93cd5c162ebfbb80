import Foundation

/// Threads that work beside the one that computes.
///
/// Foundation's `Thread` does not say when the system refuses another thread, and whoever waits for its work waits forever.
package enum BackgroundThread {
    /// Runs `body` on a new thread.
    /// - Parameter stackBytes: the size of its stack.
    /// - Returns: false if the system has no thread left to give (`ulimit -u`, `ulimit -v`); `body` is then not called.
    package static func start(_ name: String, stackBytes: Int = 1 << 21, _ body: @escaping @Sendable () -> Void) -> Bool
    {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, stackBytes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        let work = Unmanaged.passRetained(Work(name: name, body: body))
        var thread = pthread_t()
        let status = pthread_create(
            &thread, &attributes,
            { argument in
                guard let argument else { return nil }
                let work = Unmanaged<Work>.fromOpaque(argument).takeRetainedValue()
                Thread.current.name = work.name
                work.body()
                return nil
            }, work.toOpaque())
        if status != 0 { work.release() }
        return status == 0
    }

    private final class Work: Sendable {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) { (self.name, self.body) = (name, body) }
    }
}
