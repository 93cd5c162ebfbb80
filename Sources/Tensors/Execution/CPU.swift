import Foundation

/// The processor cores that compute: a pool of threads, a pool of memory and a set of kernels.
///
/// Every tensor knows the `CPU` it lives on. Results are the same bits for any number of threads.
public final class CPU: Sendable {
    /// The number of threads, the calling one included.
    public let threads: Int
    private let pool: ThreadPool

    /// - Parameter threads: threads that share the work; by default all cores that the process may use.
    public init(threads: Int? = nil) {
        self.threads = max(1, threads ?? ProcessInfo.processInfo.activeProcessorCount)
        pool = ThreadPool(threads: self.threads)
    }

    /// Calls `body` for each index in `0..<count`, in parallel, and returns when all calls have returned.
    ///
    /// Cut the work by `count` and let each call write its own part of the result: then the result does not depend on
    /// the number of threads. A loop inside `body` runs on its calling thread.
    public func forEach(_ count: Int, _ body: @Sendable (Int) -> Void) { pool.run(count, body) }
}
